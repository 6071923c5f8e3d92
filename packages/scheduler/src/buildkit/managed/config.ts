/**
 * buildkitd.toml of the managed daemon. Pure text; the sizes come from outside.
 */
import { SANDBOX_OTEL } from './sandbox.ts';

/** `auto`: overlayfs where the kernel has it, else what BuildKit finds. */
export type Snapshotter = 'auto' | 'overlayfs' | 'native' | 'fuse-overlayfs';

export interface DaemonConfig {
  readonly snapshotter: Snapshotter;
  readonly rootless: boolean;
  /** Bytes of the file system the root lies on, and free there when the root was made. */
  readonly disk: { readonly total: number; readonly free: number };
  /** Of the steps' control groups; null: BuildKit's own. */
  readonly cgroupParent?: string | null | undefined;
}

/** Of the disk, always left free; and of what was free, at most used: issue 3. BuildKit's own default keeps
 * at most 80 % or 100 GB and drops local sources after 48 h, where StageX in full wants 500 GB (BUILDKIT.md 7). */
const KEEP_FREE = 0.1;
const USE_AT_MOST = 0.6;

/** Steps' usage is read from history records right after a build; more only slows the daemon (BUILDKIT.md 6). */
const HISTORY_ENTRIES = 200;
const HISTORY_SECONDS = 24 * 3600;

/** The file's text. No rule names a filter or an age: what was used longest ago goes first, of any kind. */
export function buildkitdToml(config: DaemonConfig): string {
  const free = Math.floor(config.disk.total * KEEP_FREE);
  const used = Math.max(1, Math.floor(config.disk.free * USE_AT_MOST));
  const limits = `  minFreeSpace = ${free}\n  maxUsedSpace = ${used}\n`;
  return `# Written by stx-make at every start; edits are lost.
[log]
  level = "warn"
[otel]
  socketPath = ${JSON.stringify(SANDBOX_OTEL)}
[cdi]
  disabled = true
[history]
  maxAge = ${HISTORY_SECONDS}
  maxEntries = ${HISTORY_ENTRIES}
[worker.containerd]
  enabled = false
[worker.oci]
  enabled = true
  rootless = ${config.rootless}
  snapshotter = ${JSON.stringify(config.snapshotter)}
  gc = true
${config.cgroupParent ? `  defaultCgroupParent = ${JSON.stringify(config.cgroupParent)}\n` : ''}[[worker.oci.gcpolicy]]
${limits}[[worker.oci.gcpolicy]]
  all = true
${limits}`;
}
