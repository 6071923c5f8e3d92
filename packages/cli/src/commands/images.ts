/**
 * `content` and `import`: a target's image, looked into or handed to a container engine.
 */
import { EXIT } from '@stx-make/core/errors';
import type { EngineName, ImageEntry } from '@stx-make/scheduler/image/index';
import type { Handler } from '../args/model.ts';
import { count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { withSession } from './session.ts';

export const content: Handler<Readonly<Record<never, never>>> = (context, { args }) =>
  withSession(context, async (session) => {
    const { output, services, stop } = context;
    const graph = await services.graph();
    const [target = ''] = graph.resolve(session.tree.graph, args);
    const { digest, platform, files } = await (await services.images()).contentOf(session, target, stop);
    if (output.json) {
      output.document({
        target,
        digest,
        platform,
        files: files.map(({ path, type, mode, uid, gid, size, mtime, link, device, layer }) => ({
          path,
          type,
          mode: octal(mode),
          uid,
          gid,
          size,
          mtime,
          link: link === '' ? null : link,
          device: device === '' ? null : device,
          layer,
        })),
      });
      return EXIT.done;
    }
    const width = Math.max(0, ...files.map((file) => sizeOf(file).length));
    for (const file of files) output.print(sanitizeLine(fileLine(file, width)));
    return EXIT.done;
  });

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

const LETTERS: Readonly<Record<ImageEntry['type'], string>> = {
  file: '-',
  folder: 'd',
  symlink: 'l',
  hardlink: 'h',
  char: 'c',
  block: 'b',
  fifo: 'p',
  other: '?',
};

/** As `tar -tv` shows it. */
function fileLine(file: ImageEntry, width: number): string {
  const owner = `${file.uid}/${file.gid}`.padEnd(9);
  const date = new Date(file.mtime * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const slash = file.type === 'folder' ? '/' : '';
  const to =
    file.type === 'symlink' ? ` -> ${file.link}` : file.type === 'hardlink' ? ` link to ${file.link}` : '';
  return `${LETTERS[file.type]}${permissions(file.mode)} ${owner} ${sizeOf(file).padStart(width)} ${date} ${file.path}${slash}${to}`;
}

function sizeOf({ device, size }: ImageEntry): string {
  return device === '' ? String(size) : device.replace(':', ',');
}

/** `rwxr-xr-x`, with s and t where setuid, setgid and sticky are set. */
export function permissions(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, at) => ((mode & (0o400 >> at)) === 0 ? '-' : letter));
  const special: readonly (readonly [bit: number, at: number, letter: string])[] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ];
  for (const [bit, at, letter] of special) {
    if ((mode & bit) !== 0) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  }
  return bits.join('');
}

interface ImportValues {
  readonly into: 'auto' | EngineName;
}

export const importImages: Handler<ImportValues> = (context, { args, options }) =>
  withSession(context, async (session) => {
    const { output, services, io, stop } = context;
    const graph = await services.graph();
    const targets = graph.resolve(session.tree.graph, args);
    const front = await services.images();
    const report = await front.importImages(session, {
      targets,
      into: options.into === 'auto' ? null : options.into,
      env: io.env,
      signal: stop,
      onImported: (target, tags) => {
        if (!output.json) output.print(`${target}: ${tags.join(', ')}`);
      },
    });
    if (output.json) output.document({ ok: true, engine: report.engine, targets: report.targets });
    else output.print(`${count(report.targets.length, 'image')} imported into ${report.engine}`);
    return EXIT.done;
  });
