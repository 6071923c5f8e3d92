/** Small graphs whose best sharing can be told by hand. On the StageX graph: test/unit/schedule. */
import { describe, expect, it } from 'vitest';
import { assignShards, type ShardRequest, type ShardTarget } from './index.ts';

/** `a:3 b:2<a c<a,b`: names, ms (none: unknown), what they need. */
function targets(text: string): ShardTarget[] {
  return text.split(' ').map((word) => {
    const [, name = '', ms, needs] = /^([^:<]+)(?::(\d+))?(?:<(.*))?$/.exec(word) ?? [];
    return { name, expected: ms === undefined ? null : Number(ms), dependencies: needs?.split(',') ?? [] };
  });
}

function share(text: string, more: Partial<ShardRequest> = {}) {
  return assignShards({ targets: targets(text), shards: 2, jobs: 1, transfer: 10, ...more });
}

describe('sharing targets out', () => {
  it('keeps a chain on one shard, and gives what is independent to the other', () => {
    const { shardOf, makespan, transfers } = share('a:100 b:100<a c:100<b x:90 y:90<x');
    expect(Object.fromEntries(shardOf)).toEqual({ a: 1, b: 1, c: 1, x: 2, y: 2 });
    expect(makespan).toBe(300);
    expect(transfers).toBe(0);
  });

  it('crosses over where waiting for the same shard would take longer than a transfer', () => {
    const { makespan, ends, transfers } = share('root:10 b:100<root c:100<root end:5<b,c');
    expect(ends.get('c')).toBe(120);
    expect(makespan).toBe(125);
    expect(transfers).toBe(2);
    expect(share('root:10 b:100<root c:100<root end:5<b,c', { transfer: 200 }).transfers).toBe(0);
  });

  it('begins what the longest way hangs from, not what is long itself', () => {
    const { starts, criticalPath, bound } = share('long:50 short:10 then:90<short', { shards: 1 });
    expect([...starts].toSorted((a, b) => a[1] - b[1]).map(([name]) => name)).toEqual([
      'short',
      'then',
      'long',
    ]);
    expect(criticalPath).toEqual(['short', 'then']);
    expect(bound).toBe(150);
  });

  it('takes the median for what was never built, and a minute where nothing was', () => {
    expect(share('a:10 b:30 c:50 d', { shards: 1 }).makespan).toBe(120);
    expect(share('a b', { shards: 1 }).makespan).toBe(120_000);
  });

  it('shares out a tree of tiny builds, too: a transfer is never taken for more than a part of one', () => {
    const tiny = share('a:4 b:4 c:4<a d:4<a e:4<a f:4<a', { transfer: undefined });
    expect(tiny.makespan).toBeLessThan(24);
    expect(tiny.shares.every(({ targets: own }) => own.length > 1)).toBe(true);
  });

  it('runs several builds at a time on one shard without a transfer', () => {
    expect(share('root:10 b:100<root c:100<root', { shards: 1, jobs: 2 })).toMatchObject({
      makespan: 110,
      transfers: 0,
    });
  });

  it('gives targets only to shards that can build for their platforms, and says which none can', () => {
    const graph = targets('seed:10 next:10<seed arm:10<next last:10<arm');
    const platforms: Record<string, string[]> = { seed: ['linux/386'], arm: ['linux/arm64'] };
    const { shardOf, unplaced, shares } = assignShards({
      targets: graph.map((target) => ({ ...target, platforms: platforms[target.name] ?? ['linux/amd64'] })),
      shards: 2,
      jobs: 1,
      transfer: 1,
      platformsOf: [['linux/amd64'], ['linux/amd64', 'linux/386']],
    });
    expect(shardOf.get('seed')).toBe(2);
    expect(unplaced).toEqual(['arm']);
    expect(shardOf.has('arm')).toBe(false);
    expect(shardOf.has('last')).toBe(true);
    expect(shares[1]?.platforms).toContain('linux/386');
  });

  it('does not mind what is not among the targets, nor in which order they come', () => {
    const all = targets('a:3<gone b:3 c:5<a,b d:2<a e:7 f:3<e g:3<e h:3');
    const forth = assignShards({ targets: all, shards: 3, jobs: 1 });
    const back = assignShards({ targets: all.toReversed(), shards: 3, jobs: 1 });
    const sorted = ({ shardOf }: typeof forth) => [...shardOf].sort();
    expect(sorted(back)).toEqual(sorted(forth));
    expect(back.criticalPath).toEqual(forth.criticalPath);
  });

  it('leaves shards idle where there is not enough to do, and gives an empty tree to nobody', () => {
    expect(share('a:5', { shards: 3 }).shares.map(({ load }) => load)).toEqual([5, 0, 0]);
    expect(assignShards({ targets: [], shards: 2, jobs: 1 })).toMatchObject({ makespan: 0, bound: 0 });
  });

  it('takes builds of no length', () => {
    expect(share('a:0 b:0<a c:0<b d:7<c').makespan).toBe(7);
  });

  it('refuses a circle', () => {
    expect(() => share('a:1<b b:1<a')).toThrow('circle');
  });
});
