/**
 * Whose a target is: who was given it at the beginning, and who takes it over where that one does nothing.
 *
 * Every shard answers alike without asking: the order for each target is drawn from its name (rendezvous hashing), so
 * that the work of one that is lost is spread over all others. Pure.
 */
import { digestOf } from '@stx-make/core/oci/digest';
import { byCodeUnit } from '@stx-make/core/order';

/** The shards in the order in which a target is theirs. @param given by the plan; undefined: nobody was */
export function ownersOf(target: string, count: number, given: number | undefined): number[] {
  const drawn = Array.from({ length: count }, (_, index) => index + 1)
    .filter((shard) => shard !== given)
    .map((shard) => ({ shard, key: digestOf(`${target} ${shard}`) }))
    .sort((a, b) => byCodeUnit(a.key, b.key))
    .map(({ shard }) => shard);
  return given === undefined ? drawn : [given, ...drawn];
}
