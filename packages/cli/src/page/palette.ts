/**
 * The colours of stages, for the picture and the page: a fill, an edge and a text colour each, light and dark.
 *
 * Eight, told apart also with the common colour blindnesses (after Okabe and Ito, darkened or lightened until text
 * on them has a contrast of 4.5); more stages than that share. Stages come in the order of the way from the seed up.
 */
import { byCodeUnit } from '@stx-make/core/order';

const ORDER = ['bootstrap', 'core', 'pallet', 'user'];

/** The stages in use, from the seed up, others by name after them. */
export function stageOrder(stages: Iterable<string>): string[] {
  const used = new Set(stages);
  const others = [...used].filter((stage) => !ORDER.includes(stage)).sort(byCodeUnit);
  return [...ORDER.filter((stage) => used.has(stage)), ...others];
}

interface Tone {
  readonly fill: string;
  readonly edge: string;
  readonly text: string;
}

const LIGHT: readonly Tone[] = [
  { fill: '#fde3b4', edge: '#b45309', text: '#5f2a04' },
  { fill: '#d3e5fb', edge: '#1d5fb8', text: '#0c2f63' },
  { fill: '#f0d9f5', edge: '#8e3aa5', text: '#4a1458' },
  { fill: '#cdeede', edge: '#0b7d55', text: '#05402b' },
  { fill: '#fbd7d3', edge: '#b3362a', text: '#611610' },
  { fill: '#f3efb6', edge: '#857a0d', text: '#443e02' },
  { fill: '#d1eef4', edge: '#127f94', text: '#06404c' },
  { fill: '#e3e1e8', edge: '#66627a', text: '#302d3f' },
];

const DARK: readonly Tone[] = [
  { fill: '#4d2c08', edge: '#e69f3a', text: '#fde3b4' },
  { fill: '#12335c', edge: '#5aa2f0', text: '#d7e8fc' },
  { fill: '#43204d', edge: '#cf84e0', text: '#f3def8' },
  { fill: '#0b3d2b', edge: '#36b98a', text: '#cdf0e1' },
  { fill: '#54211c', edge: '#ee8377', text: '#fbdcd8' },
  { fill: '#423d0a', edge: '#cfc13c', text: '#f5f0bd' },
  { fill: '#0c3e49', edge: '#47bdd3', text: '#d2f0f6' },
  { fill: '#34323f', edge: '#a29eb5', text: '#e8e6ee' },
];

/** The class of a stage: its place in `stageOrder`, of eight. */
export function stageClass(order: readonly string[], stage: string): string {
  return `s${Math.max(0, order.indexOf(stage)) % LIGHT.length}`;
}

const rules = (tones: readonly Tone[]): string =>
  tones.map(({ fill, edge, text }, i) => `.s${i}{--fill:${fill};--edge:${edge};--text:${text}}`).join('');

/** CSS that gives every stage's class its --fill, --edge and --text. */
export const PALETTE_CSS = `${rules(LIGHT)}@media (prefers-color-scheme:dark){${rules(DARK)}}`;
