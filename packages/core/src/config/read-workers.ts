/**
 * `workers` of a TOML file: a list whose entries are texts, as after `--worker`, or tables (`[[workers]]`).
 *
 * The same in a tree's stx-make.toml and in a file of its own. Unaware of addresses and of what a tree is.
 */
import { Fields, FileProblems, type Placed } from '../recipe/fields.ts';
import { parseToml, type TomlDocument } from '../recipe/toml.ts';
import type { Place } from '../recipe/utf8.ts';
import type { ConfigResult } from './read.ts';
import {
  type Fault,
  isWorkerOption,
  plainWorker,
  readWorker,
  setOption,
  unknownOption,
  type WorkerOption,
  type WorkerSpec,
  withPlatforms,
} from './worker.ts';

/** A worker and where it stands in its file. */
export interface PlacedWorker {
  readonly spec: WorkerSpec;
  readonly place: Place;
}

/** A file that lists workers and nothing else.
 * @param file for problems only */
export function readWorkersFile(
  bytes: Uint8Array,
  file: string,
): { readonly workers: readonly PlacedWorker[] } & Pick<ConfigResult, 'problems'> {
  const { document, problems: syntax } = parseToml(bytes, file);
  if (document === null) return { workers: [], problems: syntax };
  const problems = new FileProblems(file);
  const fields = new Fields(document, [], document.value, problems);
  for (const key of fields.keys()) {
    if (key === 'workers') continue;
    problems.add('unknown-key', fields.place(key), `there is no setting \`${key}\``, 'known is workers');
  }
  const workers = workersIn(document, fields, problems);
  if (problems.list.length === 0 && workers.length === 0) {
    const hint = 'write [[workers]] and under it address = "tcp://host:1234"';
    problems.add('no-workers', fields.place(), 'there is no worker in it', hint);
  }
  return { workers, problems: problems.list };
}

/** The entries of `workers`, those that are right; what is wrong with the others is added to the problems. */
export function workersIn(document: TomlDocument, fields: Fields, problems: FileProblems): PlacedWorker[] {
  if (!fields.has('workers')) return [];
  const list: unknown = document.value['workers'];
  if (!Array.isArray(list)) {
    const text = '`workers` must be an array of addresses or of tables';
    problems.add('wrong-type', fields.place('workers'), text, 'write [[workers]] or workers = ["tcp://a:1"]');
    return [];
  }
  const found: PlacedWorker[] = [];
  for (const [index, entry] of list.entries()) {
    const place = document.place(['workers', index]);
    const spec =
      typeof entry === 'string'
        ? fromText(entry, place, problems)
        : isTable(entry)
          ? fromTable(new Fields(document, ['workers', index], entry, problems), problems)
          : null;
    if (typeof entry !== 'string' && !isTable(entry)) {
      problems.add('wrong-type', place, `\`workers[${index}]\` must be a string or a table`);
    }
    if (spec === null) continue;
    const twin = found.find((other) => other.spec.address === spec.address);
    if (twin === undefined) found.push({ spec, place });
    else {
      const text = `${JSON.stringify(spec.address)} is twice in \`workers\` (first in line ${twin.place.line})`;
      problems.add('duplicate-entry', place, text);
    }
  }
  return found;
}

function fromText(text: string, place: Place, problems: FileProblems): WorkerSpec | null {
  if (text.trim() === '') {
    problems.add('empty-entry', place, 'an entry of `workers` is empty');
    return null;
  }
  const { spec, faults } = readWorker(text);
  for (const fault of faults) problems.add(fault.code, place, fault.text, fault.hint);
  return faults.length === 0 ? spec : null;
}

function fromTable(fields: Fields, problems: FileProblems): WorkerSpec | null {
  const before = problems.list.length;
  fields.require('address', 'a worker');
  const address = fields.string('address');
  if (address?.value.trim() === '') problems.add('empty-entry', address.place, '`address` is empty');
  let spec = plainWorker(address?.value ?? '');
  const take = (read: WorkerSpec | Fault, at: Place): void => {
    if ('code' in read) problems.add(read.code, at, read.text, read.hint);
    else spec = read;
  };
  for (const key of fields.keys()) {
    if (key === 'address') continue;
    if (!isWorkerOption(key)) {
      take(unknownOption(key), fields.place(key));
    } else if (key === 'platforms') {
      const platforms = fields.strings(key);
      const values = platforms.map(({ value }) => value);
      if (problems.list.length === before) take(withPlatforms(spec, values), fields.place(key));
    } else {
      const value = optionText(fields, key);
      if (value !== null) take(setOption(spec, key, value.value), value.place);
    }
  }
  return problems.list.length === before ? spec : null;
}

/** Numbers and truth values may be written as such, everything else is a string. */
function optionText(fields: Fields, key: Exclude<WorkerOption, 'platforms'>): Placed<string> | null {
  switch (key) {
    case 'jobs':
    case 'patience': {
      const number = fields.integer(key, 1);
      return number === null ? null : { value: String(number.value), place: number.place };
    }
    case 'prune': {
      const truth = fields.boolean(key);
      return truth === null ? null : { value: String(truth.value), place: truth.place };
    }
    default:
      return fields.string(key);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
