import { Duration } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  AwsLogDriverMode,
  type ContainerDefinition,
  ContainerImage,
  LinuxParameters,
  LogDrivers,
  type TaskDefinition,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { WorkerVariables } from '../../adapters/aws/environment.ts';
import type { PoolConfig } from '../config-pools.ts';
import { boughtBy, pricesOf } from '../pool-prices.ts';
import type { RegionContext } from '../region-context.ts';
import { type RegionResources, regionVariables } from '../region-resources.ts';
import { WORKER_UID } from './gpu-user-data.ts';

/** Source maps, which the image does not copy. */
export const NOT_IN_IMAGE = ['maps'];

/** Where a worker keeps model files, and what it may write beside them: its root is read-only. */
export const CACHE_FOLDER = '/cache';
export const SCRATCH_FOLDER = '/tmp';

/** A spot interruption comes two minutes before the end, and ECS waits no longer either. */
const STOP_WITHIN_S = 120;

export type WorkerParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  readonly name: string;
  readonly pool: PoolConfig;
  readonly log: ILogGroup;
};

/** What a worker of a pool is told beside what every process of the region is. */
export function workerVariables(context: RegionContext, name: string, pool: PoolConfig): WorkerVariables {
  const { instanceType, purchase } = boughtBy(pool);
  return {
    SLUICE_POOL: name,
    SLUICE_PROVIDER: pool.kind === 'gpu' ? 'cuda' : 'cpu',
    SLUICE_RUNNERS: String(pool.runners),
    SLUICE_INTRA_OP_THREADS: String(pool.intraOpThreads),
    SLUICE_MEMORY_LIMIT_BYTES: String(pool.modelMemoryMib * 1024 ** 2),
    SLUICE_CACHE_FOLDER: CACHE_FOLDER,
    SLUICE_CACHE_BYTES: String(pool.cacheGib * 1024 ** 3),
    SLUICE_PRELOAD: pool.preload.join(','),
    SLUICE_INSTANCE_TYPE: instanceType,
    SLUICE_PURCHASE: purchase,
    SLUICE_PRICES: JSON.stringify(pricesOf(context, pool)),
    SLUICE_METER_SECONDS: '60',
  };
}

/** The worker in its task: no user of the system's, nothing written but its two folders, two minutes to hand back its work. */
export function addWorkerContainer(task: TaskDefinition, parts: WorkerParts): ContainerDefinition {
  const { context, resources, name, pool, log } = parts;
  return task.addContainer('Worker', {
    image: workerImage(context, pool),
    environment: { ...regionVariables(context, resources), ...workerVariables(context, name, pool) },
    user: `${WORKER_UID}:${WORKER_UID}`,
    readonlyRootFilesystem: true,
    linuxParameters: new LinuxParameters(task, 'Linux'),
    stopTimeout: Duration.seconds(STOP_WITHIN_S),
    healthCheck: {
      command: ['CMD', 'node', 'main.mjs', '--health'],
      interval: Duration.seconds(10),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(60),
    },
    logging: LogDrivers.awsLogs({ logGroup: log, streamPrefix: name, mode: AwsLogDriverMode.NON_BLOCKING }),
    ...(pool.kind === 'gpu' && { gpuCount: 1, memoryLimitMiB: pool.memoryMib }),
  });
}

function workerImage({ workerImages }: RegionContext, pool: PoolConfig): ContainerImage {
  const isArm = pool.kind === 'cpu' && pool.architecture === 'arm64';
  return ContainerImage.fromAsset(isArm ? workerImages.arm64 : workerImages.x64, {
    platform: isArm ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    target: pool.kind === 'gpu' ? 'cuda' : 'cpu',
    exclude: NOT_IN_IMAGE,
  });
}
