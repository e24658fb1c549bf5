import type { RegionContext } from '../region-context.ts';
import type { RegionResources } from '../region-resources.ts';
import type { Network } from './network.ts';
import type { PoolQueues } from './pool-queues.ts';

export type ComputeParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  readonly network: Network;
  readonly queues: PoolQueues;
};

/** What runs the workers of a region's pools and follows their work, from zero where a pool may be there. */
export interface WorkerCompute {
  /** The name under which the cluster runs. */
  readonly clusterName: string;
}
