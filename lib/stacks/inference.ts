import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { serviceName } from '../../adapters/aws/environment.ts';
import { EcsCompute } from '../constructs/ecs-compute.ts';
import { EksCompute } from '../constructs/eks-compute.ts';
import type { Network } from '../constructs/network.ts';
import { PoolQueues } from '../constructs/pool-queues.ts';
import type { ComputeParts, WorkerCompute } from '../constructs/worker-compute.ts';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import type { RegionResources, RegionStores } from '../region-resources.ts';

/** A region's worker pools: their queues, and what runs them. */
export class Inference extends Stack {
  readonly queues: PoolQueues;
  readonly compute: WorkerCompute;
  readonly resources: RegionResources;

  constructor(
    scope: Construct,
    id: string,
    props: StackProps,
    {
      context,
      stores,
      network,
    }: { readonly context: RegionContext; readonly stores: RegionStores; readonly network: Network },
  ) {
    super(scope, id, props);
    const { config, region, settings } = context;
    const prefix = regionPrefix(config.deployment, region);
    const pools = Object.keys(settings.pools);
    this.queues = new PoolQueues(this, 'Queues', pools, prefix, stores.dataKey);
    const services = config.compute === 'ecs' ? pools.map((pool) => serviceName(config.deployment, pool)) : [];
    this.resources = {
      ...stores,
      queueArns: this.queues.lanes.map(({ queue }) => queue.queueArn),
      deadLetterArns: this.queues.lanes.map(({ dead }) => dead.queueArn),
      queuesUrl: this.queues.urlPrefix,
      cluster: prefix,
      serviceArns: services.map((name) =>
        this.formatArn({ service: 'ecs', resource: 'service', resourceName: `${prefix}/${name}` }),
      ),
    };
    const parts: ComputeParts = { context, resources: this.resources, network, queues: this.queues };
    this.compute = config.compute === 'ecs' ? new EcsCompute(this, 'Ecs', parts) : new EksCompute(this, 'Eks', parts);
  }
}
