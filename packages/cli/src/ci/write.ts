/** The files of a CI system's workflows. Pure: says what to write, writes nothing. */
import { actionsFiles } from './actions.ts';
import { gitlabFiles } from './gitlab.ts';
import type { WorkflowFile, WorkflowOptions } from './model.ts';

export function workflowFiles(options: WorkflowOptions): WorkflowFile[] {
  const { system } = options;
  switch (system) {
    case 'github':
    case 'forgejo':
      return actionsFiles({ ...options, system });
    case 'gitlab':
      return gitlabFiles(options);
  }
}
