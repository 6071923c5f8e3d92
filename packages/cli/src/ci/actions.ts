/**
 * Workflows for GitHub Actions and Forgejo Actions: the night, and what a pull request affects.
 *
 * The two speak almost one language; what differs is in flavour.ts. Unaware of the tree and of what shards do.
 */
import { CACHE, CHECKOUT, FLAVOURS, type Flavour, release } from './flavour.ts';
import {
  EVENTS,
  inTree,
  jobMinutes,
  REPORT,
  STATE,
  type WorkflowFile,
  type WorkflowOptions,
} from './model.ts';
import {
  affectedLines,
  type BuildScript,
  type Call,
  collectLines,
  loginLines,
  shardLines,
} from './scripts.ts';
import { type Note, yamlText } from './yaml.ts';

type Step = Readonly<Record<string, unknown>>;

/** The workflows of a system, as files. */
export function actionsFiles(
  options: WorkflowOptions & { readonly system: 'github' | 'forgejo' },
): WorkflowFile[] {
  const flavour = FLAVOURS[options.system];
  const writer = new ActionsWriter(options, flavour);
  return [
    { path: `${flavour.folder}/stx-make-nightly.yml`, text: writer.nightly() },
    { path: `${flavour.folder}/stx-make-pull-request.yml`, text: writer.pullRequest() },
  ];
}

class ActionsWriter {
  readonly #options: WorkflowOptions;
  readonly #flavour: Flavour;

  constructor(options: WorkflowOptions, flavour: Flavour) {
    this.#options = options;
    this.#flavour = flavour;
  }

  nightly(): string {
    const { shards, cron, runsOn, timeMs } = this.#options;
    const machine = { 'runs-on': runsOn ?? this.#flavour.runsOn };
    const prepare = [...this.#checkout(false), ...this.#ready('/restore'), this.#names()];
    const data = {
      name: 'stx-make nightly',
      on: { schedule: [{ cron }], workflow_dispatch: {} },
      permissions: {},
      concurrency: { group: 'stx-make-nightly', 'cancel-in-progress': false },
      env: { ...this.#environment(), SESSION: '${{ github.run_id }}-${{ github.run_attempt }}' },
      jobs: {
        sources: {
          ...machine,
          'timeout-minutes': 60,
          permissions: { contents: 'read' },
          steps: [
            ...this.#checkout(false),
            ...this.#ready(),
            this.#cache('', this.#sourcesCache()),
            {
              name: 'Download and verify all sources',
              'continue-on-error': true,
              run: lines([
                'code=0',
                `${this.#call('fetch')} || code=$?`,
                ...this.#handBack(),
                'exit "$code"',
              ]),
            },
          ],
        },
        shard: {
          name: `shard \${{ matrix.shard }}/${shards}`,
          needs: 'sources',
          if: '${{ !cancelled() }}',
          ...machine,
          'timeout-minutes': jobMinutes(timeMs),
          permissions: { contents: 'read', packages: 'write' },
          strategy: {
            'fail-fast': false,
            matrix: { shard: Array.from({ length: shards }, (_, index) => index + 1) },
          },
          steps: [
            ...prepare,
            this.#login(),
            this.#cache('/restore', this.#sourcesCache()),
            {
              name: 'Build',
              env: { SHARD: '${{ matrix.shard }}' },
              run: lines(shardLines(this.#script(), `"$SHARD/${shards}"`)),
            },
            this.#artifacts('events-${{ matrix.shard }}', [EVENTS], 'always()'),
            this.#artifacts('logs-${{ matrix.shard }}', [`${STATE}/logs/**`], 'failure()'),
          ],
        },
        collect: {
          needs: 'shard',
          if: '${{ !cancelled() }}',
          ...machine,
          'timeout-minutes': 30,
          permissions: { contents: 'read', packages: 'write' },
          steps: [
            ...prepare,
            this.#login(),
            { name: 'Make one run of all shards', run: lines(collectLines(this.#script(), shards)) },
            this.#artifacts('report', [REPORT, EVENTS], 'always()'),
          ],
        },
      },
    };
    return yamlText(this.#head(this.#flavour.setUp), data, this.#nightlyNotes(), release);
  }

  pullRequest(): string {
    const { runsOn, timeMs } = this.#options;
    const data = {
      name: 'stx-make pull request',
      on: { pull_request: {} },
      permissions: { contents: 'read' },
      concurrency: {
        group: 'stx-make-${{ github.workflow }}-${{ github.event.pull_request.number }}',
        'cancel-in-progress': true,
      },
      env: this.#environment(),
      jobs: {
        affected: {
          'runs-on': runsOn ?? this.#flavour.runsOn,
          'timeout-minutes': jobMinutes(timeMs),
          steps: [
            ...this.#checkout(true),
            ...this.#ready('/restore'),
            this.#names(),
            this.#cache('/restore', this.#sourcesCache()),
            {
              name: 'Build what it affects',
              env: { BASE: '${{ github.event.pull_request.base.sha }}' },
              run: lines(affectedLines(this.#script(), ' >>"$GITHUB_STEP_SUMMARY"')),
            },
            this.#artifacts('events', [EVENTS], 'always()'),
            this.#artifacts('logs', [`${STATE}/logs/**`], 'failure()'),
          ],
        },
      },
    };
    return yamlText(
      this.#head(null),
      data,
      [
        {
          at: ['on', 'pull_request'],
          text: "Never pull_request_target: that would run a stranger's recipes with this repository's rights.",
        },
        {
          at: ['permissions'],
          text: 'Reads the remote, never writes it, and knows no secret: what a pull request built must not be what others get\nfor their own builds (docs/ci.md). So the remote must be readable without a login.',
        },
      ],
      release,
    );
  }

  #nightlyNotes(): Note[] {
    return [
      { at: ['permissions'], text: 'Nothing that a job does not ask for below.' },
      { at: ['concurrency'], text: 'One night at a time: the next one waits, and finds what this one left.' },
      {
        at: ['jobs', 'sources'],
        text: 'All sources once, so that mirrors are asked once. A source that can not be had fails the builds that need it.',
      },
      {
        at: ['jobs', 'shard', 'strategy', 'fail-fast'],
        text: "A shard's failure ends no other; what it leaves undone is taken over.",
      },
      {
        at: ['jobs', 'collect', 'if'],
        text: 'Also after failures: it says which.',
      },
    ];
  }

  #head(more: string | null): string {
    return [
      `Written by: ${this.#options.line}`,
      'Change it there; docs/ci.md says what it does.',
      '',
      this.#flavour.machines,
      ...(more === null ? [] : [more]),
    ].join('\n');
  }

  /** What all jobs know. GitHub's registry takes no capitals; the step `names` makes REMOTE of it. */
  #environment(): Record<string, string> {
    return {
      NAMED_REMOTE: this.#options.remote ?? this.#flavour.remote,
      STX_MAKE_STATE: STATE,
    };
  }

  /** `./run` in the checkout, else the command as it is. */
  readonly #call: Call = (words) => `${this.#flavour.root}${this.#options.command} ${words}`;

  #script(): BuildScript {
    return {
      call: this.#call,
      time: this.#options.time,
      notice: (text) => `echo "::notice::${text}"`,
      after: this.#handBack(),
    };
  }

  /** What root wrote is the job's: caches and artifacts are read by another user. */
  #handBack(): string[] {
    if (this.#flavour.root === '') return [];
    const { tree } = this.#options;
    const folders = [`${STATE}/sources`, `${STATE}/logs`, inTree(tree, 'fetch')];
    return [
      `for folder in ${folders.join(' ')} ~/.cache/stx-make; do`,
      '  [ ! -e "$folder" ] || sudo chown -R "$(id -u):$(id -g)" "$folder"',
      'done',
    ];
  }

  #checkout(whole: boolean): Step[] {
    return [
      {
        name: 'Check out',
        uses: `${this.#flavour.host}${CHECKOUT}`,
        with: { 'persist-credentials': false, ...(whole ? { 'fetch-depth': 0 } : {}) },
      },
    ];
  }

  #ready(kind: '' | '/restore' = ''): Step[] {
    const { command, install } = this.#options;
    const { packages } = this.#flavour;
    const steps: Step[] = [];
    if (packages !== null) {
      steps.push({
        name: 'Install what the machine lacks',
        run: lines(['apt-get update', `apt-get install --yes --no-install-recommends ${packages}`]),
      });
    }
    if (command === './run') {
      steps.push(
        this.#cache(kind, {
          name: 'Node, BuildKit and the rest, once made',
          path: '~/.cache/stx-make',
          key: "stx-make-tools-${{ runner.os }}-${{ runner.arch }}-${{ hashFiles('run', 'tools/**', 'pnpm-lock.yaml') }}",
        }),
      );
    }
    if (install !== null) steps.push({ name: 'Install stx-make', run: lines(install.split('\n')) });
    return steps;
  }

  #names(): Step {
    return {
      name: 'Name the remote',
      run: lines(['echo "REMOTE=$(printf %s "$NAMED_REMOTE" | tr A-Z a-z)" >>"$GITHUB_ENV"']),
    };
  }

  #login(): Step {
    const folder = '$RUNNER_TEMP/registry';
    return {
      name: 'Log in to the registry',
      env: { REGISTRY_USER: this.#flavour.user, REGISTRY_TOKEN: this.#flavour.token },
      run: lines([...loginLines(folder), `echo "DOCKER_CONFIG=${folder}" >>"$GITHUB_ENV"`]),
    };
  }

  #sourcesCache() {
    const { tree } = this.#options;
    return {
      name: 'Sources, as far as an earlier night had them',
      path: `${inTree(tree, 'fetch')}\n${STATE}/sources\n`,
      key: `stx-make-sources-\${{ hashFiles('${inTree(tree, '**/package.toml')}') }}`,
      restore: 'stx-make-sources-\n',
    };
  }

  #cache(
    kind: '' | '/restore',
    { name, path, key, restore }: { name: string; path: string; key: string; restore?: string },
  ): Step {
    return {
      name,
      uses: `${this.#flavour.host}actions/cache${kind}@${CACHE}`,
      with: { path, key, ...(restore === undefined ? {} : { 'restore-keys': restore }) },
    };
  }

  #artifacts(name: string, paths: readonly string[], when: string): Step {
    return {
      name: `Keep ${name.replace(/-\$.*/, '')}`,
      if: when,
      uses: `${this.#flavour.host}${this.#flavour.upload}`,
      with: {
        name: `stx-make-${name}`,
        path: paths.length === 1 ? paths[0] : `${paths.join('\n')}\n`,
        'if-no-files-found': 'ignore',
        'retention-days': 14,
      },
    };
  }
}

function lines(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
