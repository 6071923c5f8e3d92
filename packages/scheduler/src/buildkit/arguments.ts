/**
 * One build as a buildctl command line: pure data, also printed as a script by `plan --commands`.
 *
 * The options decide the digest. They are upstream's (shared/stagex/README.md, BUILDKIT.md 2); a change here
 * is a change of every digest, and the tests compare with recorded ones. Does not run anything.
 */
import { byCodeUnit } from '@stx-make/core/order';
import type { BuildRequest, StepLimits } from './model.ts';

/** Where buildctl finds the daemon and puts what comes out. */
export interface BuildctlPlaces {
  /** buildctl's flags that reach the daemon, of `parseAddress`. */
  readonly connection: readonly string[];
  /** Into a folder: a private OCI layout, its `blobs` a link to the pool: BuildKit guards index.json by a try-lock,
   * so several exports into one folder fail now and then (BUILDKIT.md 5). */
  readonly into: { readonly folder: string; readonly metadataFile: string } | 'stdout';
  /** Holds SOURCE_POLICY. */
  readonly policyFile: string;
}

/** Forbids everything that would come from outside: whatever is not a local folder or our own pool. With it
 * a forgotten `context:` fails instead of being pulled from docker.io in silence. The last rule that matches
 * wins. */
export const SOURCE_POLICY = {
  version: 1,
  rules: [
    { action: 'DENY', selector: { identifier: '^', match_type: 'REGEX' } },
    { action: 'ALLOW', selector: { identifier: '^(local|oci-layout)://', match_type: 'REGEX' } },
  ],
} as const;

/** The bytes of the policy file. */
export const SOURCE_POLICY_TEXT = `${JSON.stringify(SOURCE_POLICY, null, 2)}\n`;

/** The name of the pool inside a build; appears in `oci-layout://pool@<digest>`. */
const POOL = 'pool';

/** Exporter options after upstream's: without the annotations, rewrite-timestamp or force-compression the
 * digest is another one. */
function outputOption(request: BuildRequest, into: BuildctlPlaces['into']): string {
  const { pushTo } = request;
  const place =
    pushTo === undefined
      ? [
          'type=oci',
          ...(into === 'stdout' ? ['dest=-'] : ['tar=false', `dest=${into.folder}`]),
          `name=${request.tag}`,
        ]
      : [
          ...['type=image', 'push=true', 'push-by-digest=true', 'oci-mediatypes=true', 'store=false'],
          `name=${pushTo.repository}`,
          ...(pushTo.insecure ? ['registry.insecure=true'] : []),
        ];
  return [
    ...place,
    'rewrite-timestamp=true',
    'force-compression=true',
    `annotation.containerd.io/distribution.source.docker.io=stagex/${request.target}`,
    `annotation.org.opencontainers.image.version=${request.version}`,
    'annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z',
  ]
    .map(csvField)
    .join(',');
}

/** buildctl splits --output as CSV (go-csvvalue): a field with a comma or a quote is quoted whole. */
function csvField(field: string): string {
  return /[",\r\n]/.test(field) || field !== field.trim() ? `"${field.replaceAll('"', '""')}"` : field;
}

/** What every build and lint of one Containerfile says to the frontend. */
function frontendArguments(request: BuildRequest): string[] {
  const options: string[] = [
    'filename=Containerfile',
    // Present and empty: the daemon's own frontend is used, a `# syntax=` line is ignored (BUILDKIT.md 2).
    'cmdline=',
    `platform=${request.platforms.join(',')}`,
  ];
  if (request.buildTarget !== null) options.push(`target=${request.buildTarget}`);
  for (const name of Object.keys(request.buildArgs).sort(byCodeUnit)) {
    options.push(`build-arg:${name}=${request.buildArgs[name] ?? ''}`);
  }
  options.push('ulimit=nofile=2048:16384');
  // The upload of a named folder is keyed by its name, one for all recipes: without a key of its own the
  // daemon gives a recipe the bytes of another's file of equal name, size and mtime (BUILDKIT.md 3).
  options.push('context:fetch=local:fetch', `sharedkey:localdir:fetch=${request.recipe}`);
  const contexts = new Map<string, string>();
  for (const { name, digest, image } of request.dependencies) {
    const source = image === undefined ? `oci-layout://${POOL}` : `docker-image://${image}`;
    contexts.set(contextKey(name), `${source}@${digest}`);
  }
  for (const key of [...contexts.keys()].sort(byCodeUnit))
    options.push(`context:${key}=${contexts.get(key) ?? ''}`);
  options.push(...limitOptions(request.limits));
  return [
    '--frontend',
    'dockerfile.v0',
    ...options.flatMap((option) => ['--opt', option]),
    '--local',
    `context=${request.contextDir}`,
    '--local',
    `dockerfile=${request.contextDir}`,
    '--local',
    `fetch=${request.fetchDir}`,
    ...(request.dependencies.some(({ image }) => image === undefined)
      ? ['--oci-layout', `${POOL}=${request.pool}`]
      : []),
  ];
}

function limitOptions(limits: StepLimits): string[] {
  const options: string[] = [];
  if (limits.memory !== undefined) options.push(`memory=${limits.memory}`);
  // BuildKit's default period is the kernel's 100 ms; said, so that the quota means what its type says.
  if (limits.cpuQuota !== undefined) options.push(`cpuquota=${limits.cpuQuota}`, 'cpuperiod=100000');
  if (limits.cpuShares !== undefined) options.push(`cpushares=${limits.cpuShares}`);
  if (limits.cpusetCpus !== undefined) options.push(`cpusetcpus=${limits.cpusetCpus}`);
  return options;
}

/** The arguments of buildctl for one build. Deterministic: equal requests give equal lists. */
export function buildctlArguments(request: BuildRequest, places: BuildctlPlaces): string[] {
  return [
    ...places.connection,
    'build',
    '--progress',
    'rawjson',
    ...frontendArguments(request),
    '--source-policy-file',
    places.policyFile,
    '--output',
    outputOption(request, places.into),
    ...(places.into === 'stdout' ? [] : ['--metadata-file', places.into.metadataFile]),
    ...(request.cache === 'none' ? ['--no-cache'] : []),
  ];
}

/** The arguments of buildctl for BuildKit's own lint of one Containerfile: builds nothing, prints its
 * findings as text on stdout. */
export function checkArguments(
  request: BuildRequest,
  places: Pick<BuildctlPlaces, 'connection' | 'policyFile'>,
): string[] {
  return [
    ...places.connection,
    'build',
    '--progress',
    'rawjson',
    ...frontendArguments(request),
    '--opt',
    'requestid=frontend.lint',
    '--source-policy-file',
    places.policyFile,
  ];
}

/** The key by which BuildKit looks up a named context for an image reference as a Containerfile writes it:
 * its familiar form without `:latest` (dockerui, `NamedContext`). `docker.io/stagex/x:latest`,
 * `index.docker.io/stagex/x` and `stagex/x` are all `stagex/x`. */
export function contextKey(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  let domain = '';
  let path = reference;
  // distribution/reference, splitDockerDomain: the first part is a host where it could not be a user.
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)) {
    domain = first;
    path = rest.join('/');
  }
  if (domain === 'index.docker.io') domain = 'docker.io';
  if (domain === 'docker.io' || domain === '') {
    domain = '';
    if (/^library\/[^/]+$/.test(path)) path = path.slice('library/'.length);
  }
  const familiar = domain === '' ? path : `${domain}/${path}`;
  return familiar.endsWith(':latest') ? familiar.slice(0, -':latest'.length) : familiar;
}

/** All keys under which BuildKit would look for the reference: the one of `contextKey`. As a list because
 * the lookup also tries `<key>::<platform>` first, which we never give. */
export function contextKeys(reference: string): string[] {
  return [contextKey(reference)];
}

/** Variables that would change what buildctl does or prints, or that leak into the build: its own, Go's
 * tracing and runtime, and SOURCE_DATE_EPOCH, which buildctl turns into a build arg (cmd/buildctl/build).
 * Everything else stays: ssh, kubectl, docker, podman and TLS need theirs. */
const DROPPED =
  /^(BUILDKIT_|BUILDCTL_|BUILDX_|OTEL_|JAEGER_|TRACE(PARENT|STATE)$|LC_|LANG$|LANGUAGE$|TZ$|SOURCE_DATE_EPOCH$|GO(DEBUG|GC|TRACEBACK|MEMLIMIT)$|PROGRESS_NO_TRUNC$|TTY_|NO_COLOR$|COLUMNS$|ACTIONS_|DOCKER_(BUILDKIT|AUTH_CONFIG|DEFAULT_PLATFORM|CONTENT_TRUST.*|CLI_.*)$)/;

/** buildctl lives as long as a build and mostly waits: Go's collector and its threads cost it more than its work. With
 * these a trivial build takes 37 ms of CPU instead of 46, and 175 ms instead of 188 (medians of 25). */
const GO = { GOGC: 'off', GOMEMLIMIT: '128MiB', GOMAXPROCS: '1' } as const;

/** The environment of buildctl. */
export function buildctlEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !DROPPED.test(name));
  return { ...Object.fromEntries(kept), ...GO, TZ: 'UTC', LC_ALL: 'C' };
}
