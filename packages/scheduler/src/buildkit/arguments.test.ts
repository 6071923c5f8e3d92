/** Command lines as pure data: what decides digests is pinned here word for word. */
import type { Digest } from '@stx-make/core/oci/model';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { buildctlArguments, buildctlEnvironment, checkArguments, contextKey } from './arguments.ts';
import type { BuildRequest } from './model.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const request: BuildRequest = {
  target: 'user-x',
  recipe: 'user/x',
  platforms: ['linux/amd64', 'linux/arm64'],
  buildTarget: 'package-x',
  buildArgs: { VERSION: '1.2', SOURCE_DATE_EPOCH: '1', BUILDKIT_MULTI_PLATFORM: '1', ODD: 'a=b, "c"\n' },
  version: '1.2',
  tag: 'stagex/user-x:1.2',
  contextDir: '/w/con text',
  fetchDir: '/w/fetch',
  dependencies: [
    { name: 'stagex/user-b', digest },
    { name: 'docker.io/stagex/core-a:latest', digest },
  ],
  pool: '/state/pool',
  cache: 'cache',
  limits: {},
};
const places = {
  connection: ['--addr', 'unix:///s'],
  into: { folder: '/w/out', metadataFile: '/w/m.json' },
  policyFile: '/p.json',
};

/** The values after each occurrence of a flag. */
const valuesOf = (args: readonly string[], flag: string) =>
  args.flatMap((arg, index) => (arg === flag ? [args[index + 1]] : []));

test('the exporter is upstream’s to the letter', () => {
  expect(valuesOf(buildctlArguments(request, places), '--output')).toEqual([
    'type=oci,tar=false,dest=/w/out,name=stagex/user-x:1.2,rewrite-timestamp=true,force-compression=true,' +
      'annotation.containerd.io/distribution.source.docker.io=stagex/user-x,' +
      'annotation.org.opencontainers.image.version=1.2,' +
      'annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z',
  ]);
});

test('options: frontend pinned, args sorted, contexts by the key BuildKit looks up', () => {
  const args = buildctlArguments(request, places);
  expect(valuesOf(args, '--opt')).toEqual([
    'filename=Containerfile',
    'cmdline=',
    'platform=linux/amd64,linux/arm64',
    'target=package-x',
    'build-arg:BUILDKIT_MULTI_PLATFORM=1',
    'build-arg:ODD=a=b, "c"\n',
    'build-arg:SOURCE_DATE_EPOCH=1',
    'build-arg:VERSION=1.2',
    'ulimit=nofile=2048:16384',
    'context:fetch=local:fetch',
    'sharedkey:localdir:fetch=user/x',
    `context:stagex/core-a=oci-layout://pool@${digest}`,
    `context:stagex/user-b=oci-layout://pool@${digest}`,
  ]);
  expect(valuesOf(args, '--local')).toEqual([
    'context=/w/con text',
    'dockerfile=/w/con text',
    'fetch=/w/fetch',
  ]);
  expect(valuesOf(args, '--oci-layout')).toEqual(['pool=/state/pool']);
  expect(valuesOf(args, '--frontend')).toEqual(['dockerfile.v0']);
  expect(args.join(' ')).not.toContain('BUILDKIT_SYNTAX');
  expect(args).not.toContain('--no-cache');
});

test('the order of a request’s parts does not show', () => {
  const shuffled = {
    ...request,
    buildArgs: Object.fromEntries(Object.entries(request.buildArgs).reverse()),
    dependencies: [...request.dependencies].reverse(),
  };
  expect(buildctlArguments(shuffled, places)).toEqual(buildctlArguments(request, places));
});

test('an archive goes to stdout, and no metadata file is asked for', () => {
  const args = buildctlArguments(request, { ...places, into: 'stdout' });
  const [output = ''] = valuesOf(args, '--output');
  expect(output.startsWith('type=oci,dest=-,name=stagex/user-x:1.2,rewrite-timestamp=true,')).toBe(true);
  expect(args).not.toContain('--metadata-file');
});

test('a folder with a comma or a quote survives the CSV of --output', () => {
  const args = buildctlArguments(request, {
    ...places,
    into: { folder: '/w/a,b "c"', metadataFile: '/w/m.json' },
  });
  expect(valuesOf(args, '--output')[0]).toContain(',"dest=/w/a,b ""c""",name=');
});

test('limits, no cache, no dependencies', () => {
  const args = buildctlArguments(
    {
      ...request,
      dependencies: [],
      cache: 'none',
      limits: { memory: 5, cpuQuota: 50_000, cpuShares: 7, cpusetCpus: '0-1' },
    },
    places,
  );
  expect(args).toContain('--no-cache');
  expect(args).not.toContain('--oci-layout');
  expect(valuesOf(args, '--opt')).toEqual(
    expect.arrayContaining([
      'memory=5',
      'cpuquota=50000',
      'cpuperiod=100000',
      'cpushares=7',
      'cpusetcpus=0-1',
    ]),
  );
});

test('dependencies from a registry, the output pushed there, annotations as always', () => {
  const [one, two] = request.dependencies;
  if (one === undefined || two === undefined) throw new Error('two dependencies');
  const pushTo = { repository: 'r.example:5000/cache/user-x', insecure: true };
  const dependencies = [one, two].map((needed) => ({
    ...needed,
    image: `r.example:5000/cache/${needed.name}`,
  }));
  const args = buildctlArguments({ ...request, dependencies, pushTo }, places);
  expect(valuesOf(args, '--opt').filter((option) => option?.startsWith('context:stagex') === true)).toEqual(
    [one, two]
      .map(
        ({ name, digest: of }) =>
          `context:${contextKey(name)}=docker-image://r.example:5000/cache/${name}@${of}`,
      )
      .sort(),
  );
  expect(args).not.toContain('--oci-layout');
  const fields = (list: readonly string[]): string[] => (valuesOf(list, '--output')[0] ?? '').split(',');
  const local = fields(buildctlArguments(request, places));
  const own = /^(type|tar|dest|name)=/;
  expect(fields(args)).toEqual([
    ...['type=image', 'push=true', 'push-by-digest=true', 'oci-mediatypes=true', 'store=false'],
    ...['name=r.example:5000/cache/user-x', 'registry.insecure=true'],
    ...local.filter((field) => !own.test(field)),
  ]);
});

test('a check asks for the lint and exports nothing', () => {
  const args = checkArguments(request, places);
  expect(valuesOf(args, '--opt')).toContain('requestid=frontend.lint');
  expect(args).not.toContain('--output');
});

test.each([
  ['stagex/core-x', 'stagex/core-x'],
  ['stagex/core-x:latest', 'stagex/core-x'],
  ['docker.io/stagex/core-x:latest', 'stagex/core-x'],
  ['index.docker.io/stagex/core-x', 'stagex/core-x'],
  ['stagex/core-x:1.0', 'stagex/core-x:1.0'],
  ['docker.io/library/fetch', 'fetch'],
  ['fetch', 'fetch'],
  ['library/fetch', 'fetch'],
  ['quay.io/stagex/core-x:latest', 'quay.io/stagex/core-x'],
  ['localhost/x', 'localhost/x'],
  ['localhost:5000/x:latest', 'localhost:5000/x'],
  [`stagex/core-x@${digest}`, `stagex/core-x@${digest}`],
])('%s is looked up as %s', (written, key) => {
  expect(contextKey(written)).toBe(key);
});

test('the environment keeps transports and drops what would leak in', () => {
  const env = buildctlEnvironment({
    ...{
      PATH: '/bin',
      HOME: '/h',
      SSH_AUTH_SOCK: '/s',
      KUBECONFIG: '/k',
      DOCKER_HOST: 'ssh://x',
      AWS_PROFILE: 'p',
    },
    ...{
      SOURCE_DATE_EPOCH: '99',
      BUILDKIT_HOST: 'x',
      BUILDKIT_PROGRESS: 'tty',
      DOCKER_BUILDKIT: '1',
      LANG: 'de',
    },
    ...{ OTEL_TRACES_EXPORTER: 'otlp', TRACEPARENT: 'x', TZ: 'Asia/Tokyo', GODEBUG: 'x', LC_MESSAGES: 'de' },
  });
  expect(env).toEqual({
    ...{
      PATH: '/bin',
      HOME: '/h',
      SSH_AUTH_SOCK: '/s',
      KUBECONFIG: '/k',
      DOCKER_HOST: 'ssh://x',
      AWS_PROFILE: 'p',
    },
    ...{ TZ: 'UTC', LC_ALL: 'C', GOGC: 'off', GOMEMLIMIT: '128MiB', GOMAXPROCS: '1' },
  });
});

test.each([
  ['unix:///run/x.sock', ['--addr', 'unix:///run/x.sock']],
  ['kube-pod://p?namespace=n', ['--addr', 'kube-pod://p?namespace=n']],
  ['ssh://u@h', ['--addr', 'ssh://u@h']],
  ['docker-container://b', ['--addr', 'docker-container://b']],
  ['podman-container://b', ['--addr', 'podman-container://b']],
  ['tcp://h:1?tlsdir=/c&servername=s', ['--addr', 'tcp://h:1', '--tlsdir', '/c', '--tlsservername', 's']],
  [
    'tcp://h:1?cacert=/a&cert=/b&key=/c',
    ['--addr', 'tcp://h:1', '--tlscacert', '/a', '--tlscert', '/b', '--tlskey', '/c'],
  ],
])('address %s', (text, flags) => {
  expect(parseAddress(text, {}).flags).toEqual(flags);
});

test('TLS for all tcp addresses by the environment, not beside one’s own', () => {
  const env = { STX_MAKE_TLS_DIR: '/all' };
  expect(parseAddress('tcp://h:1', env).flags).toEqual(['--addr', 'tcp://h:1', '--tlsdir', '/all']);
  expect(parseAddress('tcp://h:1?tlsdir=/own', env).flags).toEqual([
    '--addr',
    'tcp://h:1',
    '--tlsdir',
    '/own',
  ]);
  expect(parseAddress('unix:///x', env).flags).toEqual(['--addr', 'unix:///x']);
});

test.each(['', 'x', '/run/x.sock', 'http://h', 'unix://', 'tcp://h:1?nope=1'])(
  '%j is refused as an address',
  (text) => {
    expect(() => parseAddress(text, {})).toThrow(expect.objectContaining({ name: 'ProblemError' }));
  },
);
