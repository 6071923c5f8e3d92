/**
 * `adopt` and `preseed` as the command line asks for them.
 */
import { statSync } from 'node:fs';
import type { Session } from '../api.ts';
import { workspaceOf } from '../workspace.ts';
import { firstOf, layoutOrigin, layoutsFolder, registryOrigin } from './origins.ts';
import { takePublished } from './take.ts';
import type { TakeReport, TakeRequest } from './taken.ts';

export type AdoptRequest = Pick<
  TakeRequest,
  'selection' | 'asOf' | 'wait' | 'command' | 'signal' | 'onActivity' | 'onTarget'
>;

/** Hashing keeps the processor busy with a few of them. */
const LAYOUTS_AT_A_TIME = 2;
/** Small images wait for the registry's answers, not for bytes. */
const IMAGES_AT_A_TIME = 4;

/** What make has built under out/: verified against the committed digests, and recorded. @throws ProblemError */
export function adopt(session: Session, request: AdoptRequest): Promise<TakeReport> {
  return takePublished(workspaceOf(session), {
    ...request,
    origin: layoutOrigin(session.out, session.out),
    as: 'imported',
    withDependencies: false,
    wantsAll: false,
    parallel: LAYOUTS_AT_A_TIME,
  });
}

export interface PreseedRequest extends AdoptRequest {
  /** A registry (`HOST[:PORT][/NAMESPACE]`) or a folder of layouts; null: the registries the tree's settings name, in
   * turn, else where StageX publishes. */
  readonly from: string | null;
  readonly cwd: string;
}

/** Published images by committed digest instead of builds, with all that the selection needs. @throws ProblemError */
export async function preseed(session: Session, request: PreseedRequest): Promise<TakeReport> {
  const workspace = workspaceOf(session);
  const common = { ...request, as: 'substituted', withDependencies: true, wantsAll: true } as const;
  const folder = request.from === null ? null : layoutsFolder(request.from, request.cwd, isFolder);
  if (folder !== null) {
    const origin = layoutOrigin(folder, folder);
    return await takePublished(workspace, { ...common, origin, parallel: LAYOUTS_AT_A_TIME });
  }
  const { parseRegistry, PUBLISHED, RegistryClient } = await import('../registry/index.ts');
  const named = request.from === null ? workspace.config.registries : [request.from];
  const clients = (named.length === 0 ? [PUBLISHED] : named).map((name) => {
    const place = parseRegistry(name);
    return { place, client: new RegistryClient({ place, env: workspace.env, signal: request.signal }) };
  });
  try {
    const origin = firstOf(clients.map(({ client, place }) => registryOrigin(client, place)));
    return await takePublished(workspace, { ...common, origin, parallel: IMAGES_AT_A_TIME });
  } finally {
    for (const { client } of clients) client.close();
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
