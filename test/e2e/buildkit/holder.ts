/** A run in another process: takes a lease on the managed daemon, says so, holds it until it is ended. */
import { ensureManaged } from '../../../packages/scheduler/src/buildkit/managed.ts';

const managed = await ensureManaged({
  state: process.argv[2] ?? '',
  env: process.env,
  signal: new AbortController().signal,
});
process.stdout.write(`${JSON.stringify({ address: managed.address, instance: managed.instance() })}\n`);
setInterval(() => undefined, 1_000_000);
