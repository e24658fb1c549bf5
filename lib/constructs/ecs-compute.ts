import { Cluster } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { ComputeParts, WorkerCompute } from './worker-compute.ts';
export class EcsCompute extends Construct implements WorkerCompute {
  readonly clusterName: string;
  constructor(scope: Construct, id: string, { resources, network }: ComputeParts) {
    super(scope, id);
    new Cluster(this, 'Cluster', { clusterName: resources.cluster, vpc: network.vpc });
    this.clusterName = resources.cluster;
  }
}
