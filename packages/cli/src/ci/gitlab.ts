/**
 * Jobs for GitLab CI: one file to be included, with the night for scheduled and manual pipelines and what a merge request
 * affects. Unaware of the tree and of what shards do.
 */
import { EVENTS, inTree, REPORT, STATE, type WorkflowFile, type WorkflowOptions } from './model.ts';
import { affectedLines, type BuildScript, collectLines, loginLines, shardLines } from './scripts.ts';
import { yamlText } from './yaml.ts';

const PATH = '.gitlab/stx-make.yml';

/** The release that stx-make itself compiles (tools/buildkit); its canary says at the start whether digests fit. */
const BUILDKIT = 'moby/buildkit:v0.32.2';
const IMAGE = 'debian:trixie';

const NIGHT = [{ if: '$CI_PIPELINE_SOURCE == "schedule"' }, { if: '$CI_PIPELINE_SOURCE == "web"' }];
const MERGE_REQUEST = [{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }];

/** Exit code of a run whose time was up. */
const TIME_UP = 130;

export function gitlabFiles(options: WorkflowOptions): WorkflowFile[] {
  const { shards, command, install, remote, tree, time, timeMs, runsOn, line } = options;
  const call = (words: string): string => `${command} ${words}`;
  const script: BuildScript = { call, time, notice: null, after: [] };
  const tags = runsOn === null ? {} : { tags: [runsOn] };
  const sources = (policy: 'pull-push' | 'pull') => ({
    key: 'stx-make-sources',
    paths: [inTree(tree, 'fetch'), `${STATE}/sources`],
    policy,
  });
  // Node, BuildKit and the rest, once made.
  const tools = (policy: 'pull-push' | 'pull') =>
    command === './run'
      ? [
          {
            key: { files: ['run', 'pnpm-lock.yaml'], prefix: 'stx-make-tools' },
            paths: ['.cache/stx-make'],
            policy,
          },
        ]
      : [];
  const builds = {
    extends: '.stx-make',
    services: [
      {
        name: BUILDKIT,
        alias: 'buildkit',
        command: ['--addr', 'tcp://0.0.0.0:1234'],
      },
    ],
    timeout: `${Math.ceil((timeMs * 1.1) / 60_000) + 20} minutes`,
  };
  const logs = { when: 'always', expire_in: '2 weeks', paths: [EVENTS, `${STATE}/logs`] };
  const data = {
    '.stx-make': {
      image: IMAGE,
      ...tags,
      variables: {
        REMOTE: remote ?? '$CI_REGISTRY_IMAGE/stx-make',
        SESSION: '$CI_PIPELINE_ID',
        STX_MAKE_STATE: STATE,
        XDG_CACHE_HOME: '$CI_PROJECT_DIR/.cache',
        BUILDKIT_HOST: 'tcp://buildkit:1234',
      },
      ...(command === './run' ? { cache: tools('pull') } : {}),
      before_script: [
        block([
          'apt-get update',
          'apt-get install --yes --no-install-recommends ca-certificates git golang-go npm',
          ...(install === null ? [] : install.split('\n')),
        ]),
      ],
    },
    'stx-make sources': {
      extends: '.stx-make',
      stage: 'build',
      rules: NIGHT,
      cache: [tools('pull-push'), sources('pull-push')].flat(),
      allow_failure: true,
      script: [call('fetch')],
    },
    'stx-make shard': {
      ...builds,
      stage: 'test',
      rules: NIGHT,
      parallel: shards,
      interruptible: false,
      cache: [tools('pull'), sources('pull')].flat(),
      allow_failure: { exit_codes: [TIME_UP] },
      script: [block([...gitlabLogin(), ...shardLines(script, '"$CI_NODE_INDEX/$CI_NODE_TOTAL"')])],
      artifacts: logs,
    },
    'stx-make collect': {
      extends: '.stx-make',
      stage: 'deploy',
      rules: NIGHT.map((rule) => ({ ...rule, when: 'always' })),
      dependencies: [],
      allow_failure: { exit_codes: [TIME_UP] },
      script: [block([...gitlabLogin(), ...collectLines(script, shards, ' --summary summary.md')])],
      artifacts: {
        when: 'always',
        expire_in: '2 weeks',
        expose_as: 'stx-make report',
        paths: [REPORT, 'summary.md', EVENTS],
      },
    },
    'stx-make affected': {
      ...builds,
      stage: 'test',
      rules: MERGE_REQUEST,
      interruptible: true,
      cache: [tools('pull'), sources('pull')].flat(),
      variables: { GIT_DEPTH: 0 },
      script: [block(['BASE=$CI_MERGE_REQUEST_DIFF_BASE_SHA', ...affectedLines(script, '')])],
      artifacts: { ...logs, paths: [EVENTS, 'affected.md', `${STATE}/logs`] },
    },
  };
  const head = [
    `Written by: ${line}`,
    'Change it there; docs/ci.md says what it does.',
    '',
    'In .gitlab-ci.yml:  include: [{ local: .gitlab/stx-make.yml }]',
    `The night is a scheduled pipeline of the project (Build > Pipeline schedules, e.g. ${options.cron}), or one started by hand.`,
    'Runners: privileged, for the BuildKit service.',
  ].join('\n');
  return [
    {
      path: PATH,
      text: yamlText(head, data, [
        {
          at: ['stx-make sources'],
          text: 'All sources once, so that mirrors are asked once. A source that can not be had fails the builds that need it.',
        },
        {
          at: ['stx-make shard', 'allow_failure'],
          text: 'Its time was up: no failure; the next night goes on with the rest.',
        },
        {
          at: ['stx-make affected'],
          text: 'Reads the remote, never writes it, and logs in nowhere: what a merge request built must not be what others get for\ntheir own builds (docs/ci.md). Keep variables with secrets protected, so that its pipelines do not see them.',
        },
      ]),
    },
  ];
}

/** The job's own token, known to this job only; from `$REGISTRY_USER` and `$REGISTRY_TOKEN` where those are set. */
function gitlabLogin(): string[] {
  return [
    'REGISTRY_USER=${REGISTRY_USER:-$CI_REGISTRY_USER}',
    'REGISTRY_TOKEN=${REGISTRY_TOKEN:-$CI_REGISTRY_PASSWORD}',
    'export DOCKER_CONFIG=$CI_PROJECT_DIR.tmp/registry',
    ...loginLines('$DOCKER_CONFIG'),
  ];
}

function block(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
