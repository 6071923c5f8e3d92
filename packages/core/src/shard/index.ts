/** Work shared out among several runs on several machines: who builds what. */
export { assignShards } from './assign.ts';
export { fewestShards, MOST_SHARDS } from './count.ts';
export type { ShardAssignment, ShardRequest, ShardShare, ShardTarget } from './model.ts';
