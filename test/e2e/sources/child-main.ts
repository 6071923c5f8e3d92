/** A process of its own that fetches: the wanted sources and the state folder come in an argument. */
import {
  memorySourceLedger,
  SourceFetcher,
  type WantedSource,
} from '../../../packages/scheduler/src/sources/index.ts';

const { sources, wanted } = JSON.parse(process.argv[2] ?? '') as { sources: string; wanted: WantedSource[] };
const fetcher = new SourceFetcher({ paths: { sources }, ledger: memorySourceLedger(), env: process.env });
const report = await fetcher.ensure(wanted, { signal: new AbortController().signal });
fetcher.close();
process.stdout.write(
  JSON.stringify({ ok: report.ok, outcomes: report.sources.map(({ outcome }) => outcome) }),
);
