/**
 * The container engines an image can be loaded into, and the calls that do it.
 *
 * All take the layout as a tar archive, as upstream's Makefile gives it to `docker load`, and name the image as its
 * index.json says. Unaware of targets; runs nothing.
 */

export type EngineName = 'docker' | 'podman' | 'containerd';

/** In the order in which they are looked for. */
export const ENGINES: readonly EngineName[] = ['docker', 'podman', 'containerd'];

/** The program that speaks to it. */
export const CLIENT: Readonly<Record<EngineName, string>> = {
  docker: 'docker',
  podman: 'podman',
  containerd: 'ctr',
};

export interface EngineCall {
  readonly args: readonly string[];
  /** Whether it reads the layout as a tar archive on stdin. */
  readonly archive: boolean;
}

/** Whether the engine behind the client answers. */
export function pingCall(engine: EngineName): readonly string[] {
  switch (engine) {
    case 'docker':
      return ['version', '--format', '{{.Server.Version}}'];
    case 'podman':
      return ['version', '--format', '{{.Client.Version}}'];
    case 'containerd':
      return ['version'];
    default:
      return engine satisfies never;
  }
}

/**
 * @param tag `stagex/core-musl:1.2.5`, the name in the archive's index.json
 * @param platform of the one image in it
 */
export function loadCalls(engine: EngineName, tag: string, platform: string): readonly EngineCall[] {
  const local = localTag(tag);
  switch (engine) {
    case 'docker':
      return [
        { args: ['load'], archive: true },
        { args: ['tag', tag, local], archive: false },
      ];
    case 'podman':
      // Its short names mean another registry: the full ones are what others find them by.
      return [
        { args: ['load'], archive: true },
        { args: ['tag', full(tag), full(local)], archive: false },
      ];
    case 'containerd':
      return [
        { args: ['images', 'import', '--platform', platform, '-'], archive: true },
        { args: ['images', 'tag', '--force', full(tag), full(local)], archive: false },
      ];
    default:
      return engine satisfies never;
  }
}

/** As upstream's `import` calls it: the same with the tag `local`. */
export function localTag(tag: string): string {
  return `${tag.slice(0, tag.lastIndexOf(':'))}:local`;
}

/** As engines other than docker keep it. */
function full(tag: string): string {
  return `docker.io/${tag}`;
}
