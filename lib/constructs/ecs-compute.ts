import { AspectPriority, Aspects, Tags } from 'aws-cdk-lib';
import {
  CfnClusterCapacityProviderAssociations,
  CfnService,
  Cluster,
  ContainerInsights,
  CpuArchitecture,
  Ec2Service,
  Ec2TaskDefinition,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  NetworkMode,
  OperatingSystemFamily,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { serviceName } from '../../adapters/aws/environment.ts';
import type { CpuPool, GpuPool, PoolConfig } from '../config-pools.ts';
import { GpuCapacity, ROLLOUT_PERCENT } from './gpu-capacity.ts';
import { INSTANCE_CACHE } from './gpu-user-data.ts';
import { poolMetrics } from './pool-metrics.ts';
import { PoolScaling } from './pool-scaling.ts';
import { sealedLogGroup } from './sealed-log-group.ts';
import type { ComputeParts, WorkerCompute } from './worker-compute.ts';
import { addWorkerContainer, CACHE_FOLDER, SCRATCH_FOLDER, type WorkerParts } from './worker-container.ts';
import { workerTaskRole } from './worker-role.ts';

/** Fargate's least; the image is on it too. */
const LEAST_STORAGE_GIB = 21;
const IMAGE_GIB = 5;
const SCRATCH_MIB = 1024;

/** Pools as services of one ECS cluster: on GPU instances, or on Fargate. */
export class EcsCompute extends Construct implements WorkerCompute {
  readonly clusterName: string;
  readonly #cluster: Cluster;
  readonly #parts: ComputeParts;
  readonly #role: Role;
  readonly #log: ILogGroup;

  constructor(scope: Construct, id: string, parts: ComputeParts) {
    super(scope, id);
    const { context, resources, network } = parts;
    this.#parts = parts;
    this.clusterName = resources.cluster;
    this.#cluster = new Cluster(this, 'Cluster', {
      clusterName: resources.cluster,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    });
    this.#role = workerTaskRole(this, 'WorkerRole', resources);
    this.#log = sealedLogGroup(this, 'WorkerLog', { config: context.config, key: resources.operationsKey });
    for (const [name, pool] of Object.entries(context.settings.pools)) this.#addPool(name, pool);
    this.#associateFirst();
  }

  #addPool(name: string, pool: PoolConfig): void {
    const { context, resources } = this.#parts;
    const worker: WorkerParts = { context, resources, name, pool, log: this.#log };
    const service = pool.kind === 'gpu' ? this.#gpuService(worker, pool) : this.#cpuService(worker, pool);
    if (pool.tenant !== undefined) Tags.of(service).add('sluice:tenant', pool.tenant);
    const names = { cluster: this.clusterName, service: serviceName(context.config.deployment, name) };
    new PoolScaling(this, `${name}-Scaling`, {
      ...names,
      serviceConstruct: service,
      pool,
      metrics: poolMetrics({ context, pool: name, ...names }),
    });
  }

  #gpuService(worker: WorkerParts, pool: GpuPool): Ec2Service {
    const { name } = worker;
    const { network } = this.#parts;
    const task = new Ec2TaskDefinition(this, `${name}-Task`, {
      networkMode: NetworkMode.AWS_VPC,
      taskRole: this.#role,
    });
    task.addVolume({ name: 'cache', host: { sourcePath: INSTANCE_CACHE } });
    const container = addWorkerContainer(task, worker);
    container.addMountPoints({ sourceVolume: 'cache', containerPath: CACHE_FOLDER, readOnly: false });
    container.linuxParameters?.addTmpfs({ containerPath: SCRATCH_FOLDER, size: SCRATCH_MIB });
    const capacity = new GpuCapacity(this, `${name}-Capacity`, { pool, cluster: this.#cluster, network });
    return new Ec2Service(this, `${name}-Service`, {
      ...this.#serviceProps(name),
      taskDefinition: task,
      capacityProviderStrategies: [...capacity.strategies],
    });
  }

  #cpuService(worker: WorkerParts, pool: CpuPool): FargateService {
    const { name } = worker;
    const task = new FargateTaskDefinition(this, `${name}-Task`, {
      cpu: pool.vcpu * 1024,
      memoryLimitMiB: pool.memoryMib,
      ephemeralStorageGiB: Math.max(LEAST_STORAGE_GIB, pool.cacheGib + IMAGE_GIB),
      taskRole: this.#role,
      runtimePlatform: {
        cpuArchitecture: pool.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    const container = addWorkerContainer(task, worker);
    // Fargate gives a volume to the user to whom the image gives the folder.
    for (const [volume, containerPath] of Object.entries({ cache: CACHE_FOLDER, scratch: SCRATCH_FOLDER })) {
      task.addVolume({ name: volume });
      container.addMountPoints({ sourceVolume: volume, containerPath, readOnly: false });
    }
    return new FargateService(this, `${name}-Service`, {
      ...this.#serviceProps(name),
      taskDefinition: task,
      capacityProviderStrategies: [
        { capacityProvider: 'FARGATE', base: pool.minTasks, weight: 100 - pool.spotPercent },
        { capacityProvider: 'FARGATE_SPOT', weight: pool.spotPercent },
      ],
    });
  }

  /** Without a wish for tasks: it is scaling's, and a deployment leaves it as it is. */
  #serviceProps(pool: string) {
    const { context, network } = this.#parts;
    return {
      cluster: this.#cluster as ICluster,
      serviceName: serviceName(context.config.deployment, pool),
      securityGroups: [network.workers],
      vpcSubnets: { subnetType: network.workerSubnets },
      minHealthyPercent: 50,
      maxHealthyPercent: ROLLOUT_PERCENT,
      circuitBreaker: { enable: true, rollback: true },
      enableECSManagedTags: true,
      propagateTags: PropagatedTagSource.SERVICE,
      ...(context.isFirstDeployment && { desiredCount: 0 }),
    };
  }

  /** A service that names a capacity provider wants it to be the cluster's by then, which CDK does not say. */
  #associateFirst(): void {
    const cluster = this.#cluster;
    const visit = (node: IConstruct) => {
      if (!(node instanceof CfnService)) return;
      for (const found of cluster.node.findAll()) {
        if (found instanceof CfnClusterCapacityProviderAssociations) node.addResourceDependency(found);
      }
    };
    Aspects.of(this).add({ visit }, { priority: AspectPriority.READONLY });
  }
}
