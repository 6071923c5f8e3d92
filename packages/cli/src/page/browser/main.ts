/** Begins here: reads the page's data and puts the sections together. */
import type { PageData } from '../model.ts';
import { stageOrder } from '../palette.ts';
import { h } from './dom.ts';
import { graphSection } from './graph.ts';
import { header } from './header.ts';
import { Relations } from './relations.ts';
import {
  criticalSection,
  failuresSection,
  notesSection,
  savingsSection,
  slowestSection,
} from './sections.ts';
import { Selection } from './selection.ts';
import { targetsSection } from './targets.ts';
import { timelineSection } from './timeline.ts';
import type { Page } from './types.ts';

const data = JSON.parse(document.getElementById('data')?.textContent ?? '') as PageData;
const page: Page = {
  data,
  stages: stageOrder(data.targets.map(({ stage }) => stage)),
  selection: new Selection(data.targets),
  relations: new Relations(data.targets),
};
const { run } = data;
const sections = [
  ...(run === null
    ? []
    : [
        failuresSection(page, run),
        timelineSection(page, run),
        criticalSection(page, run),
        slowestSection(page, run),
        savingsSection(page, run),
        notesSection(run),
      ]),
  graphSection(page),
  targetsSection(page),
].filter((section) => section !== null);

document.getElementById('page')?.append(header(page, sections), h('main', {}, ...sections));
page.selection.start();
