/**
 * What a registry can do wrong costs time, never a wrong output and never an error: down, slow, busy, half an upload, other
 * bytes, and records that somebody else put there.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestOf, MEDIA } from '../../../packages/core/src/oci/index.ts';
import type { Output } from '../../../packages/core/src/oci/model.ts';
import { RegistryClient } from '../../../packages/scheduler/src/registry/index.ts';
import { remotePlace } from '../../../packages/scheduler/src/remote/index.ts';
import {
  encodeRecord,
  type RecordDocument,
  recordTag,
} from '../../../packages/scheduler/src/remote/record.ts';
import { isOutputKnownGood } from '../../../packages/scheduler/src/store/index.ts';
import { drip, type Handler, silence, status } from '../../rig/http.ts';
import { TestRegistry } from '../../rig/registry.ts';
import { RegistryFront } from '../../rig/registry-front.ts';
import { fingerprintOfTarget, Machine, never } from './machine.ts';

let registry: TestRegistry;
let front: RegistryFront;
let place: string;
let path: string;
let tests = 0;

beforeAll(async () => {
  registry = await TestRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  tests += 1;
  front = await RegistryFront.start(registry.host);
  path = `cache/n${tests}`;
  place = `${front.host}/${path}`;
  return () => front[Symbol.asyncDispose]();
});

/** Short enough for a test to see them pass, long enough for a busy machine. */
const limits = { answerMs: 700, totalMs: 20_000, stallMs: 700, stallBytes: 64 };

/** A handler for the first `count` requests that match, then none. */
function first(count: number, matches: (request: IncomingMessage) => boolean, handler: Handler) {
  let left = count;
  return (request: IncomingMessage): Handler | null => {
    if (left === 0 || !matches(request)) return null;
    left -= 1;
    return handler;
  };
}
const isBlobPut = ({ method, url }: IncomingMessage): boolean =>
  method === 'PUT' && /\/blobs\//.test(url ?? '');
const isBlobGet = ({ method, url }: IncomingMessage): boolean =>
  method === 'GET' && /\/blobs\//.test(url ?? '');
const isRecordGet = ({ method, url }: IncomingMessage): boolean =>
  method === 'GET' && /\/manifests\/record-/.test(url ?? '');

describe('passing faults are tried again', () => {
  test.each([
    ['busy', status(429, { 'Retry-After': '7' })],
    ['broken', status(503)],
    ['silent', silence],
  ] as const)('a registry that is %s for a while', async (_, handler) => {
    const pauses: number[] = [];
    const pause = async (ms: number): Promise<void> => void pauses.push(ms);
    using one = new Machine(place, { pause, limits });
    using two = new Machine(place, { pause, limits });
    const output = await one.built([{ path: 'a', content: 'a' }]);
    front.fault = first(1, isBlobPut, handler);
    expect(await one.give('core-x', output)).toEqual(new Map());
    front.fault = first(2, isRecordGet, handler);
    expect(await two.take('core-x')).toEqual(output);
    if (handler !== silence) expect(pauses).toHaveLength(3);
    if (_ === 'busy') expect(pauses).toEqual([7000, 7000, 7000]);
    expect([...one.warnings, ...two.warnings]).toEqual([]);
  });

  test('a registry that shows nobody what is not there yet takes it all the same', async () => {
    using one = new Machine(place);
    const output = await one.built([{ path: 'a' }]);
    front.fault = ({ method }) => (method === 'GET' || method === 'HEAD' ? status(403) : null);
    expect([await one.give('core-x', output), one.warnings]).toEqual([new Map(), []]);
    front.fault = () => null;
    expect(await one.take('core-x')).toEqual(output);
  });

  test('an upload that breaks off half-way is begun anew', async () => {
    using one = new Machine(place);
    using two = new Machine(place);
    const content = Array.from({ length: 60_000 }, (_, index) => `${index * 7919}`).join();
    const output = await one.built([{ path: 'a', content }]);
    let broken = 0;
    front.fault = (request) => {
      if (!isBlobPut(request) || broken === 2) return null;
      broken += 1;
      return ({ socket }) => request.once('data', () => socket.resetAndDestroy());
    };
    expect(await one.give('core-x', output)).toEqual(new Map());
    expect(broken).toBe(2);
    front.fault = () => null;
    expect(await two.take('core-x')).toEqual(output);
  });

  test('a layer that stalls or stops early is had again', async () => {
    using one = new Machine(place, { limits });
    using two = new Machine(place, { limits });
    const output = await one.built([{ path: 'a', content: 'a'.repeat(5000) }]);
    await one.give('core-x', output);
    const faults: Handler[] = [
      drip(400),
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('x', () => response.socket?.destroy());
      },
    ];
    front.fault = (request) => (isBlobGet(request) ? (faults.shift() ?? null) : null);
    expect(await two.take('core-x')).toEqual(output);
    expect(faults).toEqual([]);
    expect(two.warnings).toEqual([]);
  });
});

describe('a registry that is away', () => {
  test('is said once, and left alone; what was not given is told, and given when it is back', async () => {
    using one = new Machine(place);
    const output = await one.built([{ path: 'a' }]);
    await registry.kill();
    expect(await one.find('core-x')).toBeNull();
    expect(one.remote.isAway).toBe(true);
    front.passed.length = 0;
    expect(await one.find('core-y')).toBeNull();
    expect(front.passed).toEqual([]);
    expect([...(await one.give('core-x', output)).keys()]).toEqual(['core-x']);
    expect(one.codes()).toEqual(['remote-away']);
    expect(one.warnings[0]?.hint).toMatch(/asked again/);
    await registry.restart();
    expect(await one.give('core-x', output)).toEqual(new Map());
    expect(one.remote.isAway).toBe(false);
    using two = new Machine(place);
    expect(await two.take('core-x')).toEqual(output);
  });

  test('dies while outputs are given, comes back, and has them in the end', async () => {
    using one = new Machine(place);
    const names = Array.from({ length: 12 }, (_, index) => `core-t${index}`);
    const outputs = await Promise.all(names.map((name) => one.built([{ path: name, content: name }])));
    const given = names.map((name, index) => {
      const output = outputs[index];
      if (output === undefined) throw new Error(name);
      return one.offer(name, output);
    });
    // Somewhere in the middle.
    while (front.passed.length < 25) await new Promise((resolve) => setImmediate(resolve));
    await registry.kill();
    await Promise.race([...given, waitFor(() => one.remote.isAway)]);
    await registry.restart();
    expect(await one.remote.drain(never)).toEqual(new Map());
    expect(await Promise.all(given)).toEqual(names.map(() => true));
    using two = new Machine(place);
    expect(await Promise.all(names.map((name) => two.take(name)))).toEqual(outputs);
  });

  test('is waited for no longer than the run is wanted', async () => {
    using one = new Machine(place);
    front.fault = () => silence;
    const stop = new AbortController();
    const offered = one.offer('core-x', await one.built([{ path: 'a' }]));
    while (front.passed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('Ctrl-C'));
    const left = await one.remote.drain(stop.signal);
    expect([...left.values()].map(({ code }) => code)).toEqual(['remote-not-given']);
    expect(await offered).toBe(false);
  });
});

describe('what others put there is not believed', () => {
  /** Writes a record as somebody who may write does, of whatever they like. */
  async function poison(target: string, change: (record: RecordDocument) => Partial<RecordDocument>) {
    using attacker = new Machine(place);
    const fingerprint = fingerprintOfTarget(target);
    const output = await attacker.built([{ path: 'good' }]);
    await attacker.give(target, output);
    const bytes = encodeRecord({
      ...honest(attacker, target, output),
      ...change(honest(attacker, target, output)),
    });
    await put(target, recordTag(fingerprint.digest), bytes ?? Buffer.alloc(0));
    return output;
  }

  function honest({ pool }: Machine, target: string, output: Output): RecordDocument {
    const image = output.images[0];
    if (image === undefined) throw new Error('no image');
    const documents = [output.index, image.manifest, image.config].map(
      ({ digest }) => [digest, readFileSync(pool.path(digest))] as const,
    );
    const { digest: fingerprint, text: facts } = fingerprintOfTarget(target);
    const common = { fingerprint, target, manifest: image.manifest.digest, index: output.index };
    return { ...common, duration: 1, created: 1, facts, documents: new Map(documents) };
  }

  async function put(target: string, tag: string, bytes: Uint8Array): Promise<void> {
    const options = { place: `${registry.host}/${path}`, write: true };
    const client = new RegistryClient({ place: remotePlace(options), env: {}, signal: never });
    await client.push.manifest(`${path}/${target}`, tag, MEDIA.index, bytes);
    client.close();
  }

  async function refused(target: string, words: RegExp): Promise<void> {
    using two = new Machine(place);
    expect(await two.take(target)).toBeNull();
    expect(two.warnings).toHaveLength(1);
    expect(two.warnings[0]).toMatchObject({ tag: 'integrity', level: 'warning' });
    expect(two.warnings[0]?.text).toMatch(words);
    expect(two.warnings[0]?.text).toContain(target);
    // Built here, it takes the place of the bad one.
    const own = await two.built([{ path: 'own' }]);
    expect(await two.give(target, own)).toEqual(new Map());
    using three = new Machine(place);
    expect(await three.take(target)).toEqual(own);
    expect(three.warnings).toEqual([]);
  }

  test("another output's digest under a fingerprint's tag", async () => {
    using attacker = new Machine(place);
    const evil = await attacker.built([{ path: 'evil', mtime: 99 }]).catch(() => null);
    expect(evil).toBeNull();
    // Its own record, as it lies there under another fingerprint.
    await attacker.give(
      'core-x',
      await attacker.built([{ path: 'other' }]),
      fingerprintOfTarget('core-x', [['a', 'b']]),
    );
    const other = recordTag(fingerprintOfTarget('core-x', [['a', 'b']]).digest);
    const bytes = readFileSync(await manifestPath(`${path}/core-x`, other));
    await put('core-x', recordTag(fingerprintOfTarget('core-x').digest), bytes);
    await refused('core-x', /record of another fingerprint/);
  });

  test('a record of another target', async () => {
    await poison('core-x', () => ({ target: 'core-y' }));
    await refused('core-x', /a record of "core-y"/);
  });

  test('facts that do not give the fingerprint', async () => {
    await poison('core-x', ({ facts }) => ({ facts: `${facts} ` }));
    await refused('core-x', /facts do not give the fingerprint/);
  });

  test('a manifest that its output does not have', async () => {
    await poison('core-x', ({ index }) => ({ manifest: index.digest }));
    await refused('core-x', /its record says manifest/);
  });

  test('documents with other bytes', async () => {
    await poison('core-x', ({ documents }) => ({
      documents: new Map([...documents].map(([digest, bytes]) => [digest, Buffer.concat([bytes, bytes])])),
    }));
    await refused('core-x', /the bytes it gives for sha256:[0-9a-f]+ are others/);
  });

  test('no record at all', async () => {
    using one = new Machine(place);
    const output = await one.built([{ path: 'a' }]);
    await one.give('core-x', output);
    const plain = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [output.index] };
    await put('core-x', recordTag(fingerprintOfTarget('core-x').digest), Buffer.from(JSON.stringify(plain)));
    await refused('core-x', /it is no record/);
  });

  test('an image that is not what must come out', async () => {
    using one = new Machine(place);
    using two = new Machine(place);
    await one.give('core-x', await one.built([{ path: 'a' }]));
    const expectation = { target: 'core-x', images: [{ platform: 'linux/arm64', base: null }], epoch: 1 };
    const found = await two.find('core-x', fingerprintOfTarget('core-x'), {
      ...expectation,
      annotations: {},
    });
    expect(found).toBeNull();
    expect(two.warnings[0]?.text).toMatch(/images for linux\/amd64, not linux\/arm64.*annotations/s);
  });

  test('a layer with other bytes, and one that is not there', async () => {
    using one = new Machine(place);
    const output = await one.built([{ path: 'a', content: 'layer' }]);
    await one.give('core-x', output);
    const digest = output.images[0]?.layers[0]?.digest as Digest;
    const file = registry.blobPath(digest);
    const bytes = readFileSync(file);
    const other = Buffer.from(bytes);
    other[20] = (other[20] ?? 0) ^ 1;
    chmodSync(file, 0o644);
    writeFileSync(file, other);
    using two = new Machine(place);
    expect(await two.take('core-x')).toBeNull();
    expect(two.warnings[0]?.text).toMatch(/other bytes than were asked for/);
    expect(isOutputKnownGood(two.pool, output)).toBe(false);
    expect(two.pool.list().blobs).not.toContain(digest);
    front.fault = (request) =>
      request.url?.includes(digest) === true && request.method === 'GET' ? status(404) : null;
    using three = new Machine(place);
    expect(await three.take('core-x')).toBeNull();
    expect(three.warnings[0]?.text).toMatch(/is not there/);
    writeFileSync(file, bytes);
  });

  test('an output that is larger than the disk', async () => {
    using one = new Machine(place);
    const output = await one.built([{ path: 'a' }]);
    const [image] = output.images;
    if (image === undefined) throw new Error('no image');
    const layer = { mediaType: MEDIA.layerGzip, digest: digestOf('huge'), size: 2 ** 52 };
    const huge = { ...output, images: [{ ...image, layers: [...image.layers, layer] }] };
    front.passed.length = 0;
    expect(await one.remote.bring('core-x', huge, null, never)).toBe(false);
    expect([one.codes(), front.passed]).toEqual([['remote-too-large'], []]);
  });

  async function manifestPath(repository: string, tag: string): Promise<string> {
    const options = { place: `${registry.host}/${path}`, write: false };
    const client = new RegistryClient({ place: remotePlace(options), env: {}, signal: never });
    const digest = await client.has(repository, 'manifests', tag);
    client.close();
    return registry.blobPath(digest ?? '');
  }
});

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
