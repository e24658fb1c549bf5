import type { PoolConfig } from '../config-pools.ts';
import { type Manifest, NAMESPACE } from './eks-manifests.ts';

export const KEDA_NAMESPACE = 'keda';
export const KEDA_ACCOUNT = 'keda-operator';
const AS_KEDA = 'as-keda';
/** How soon a job at zero is seen, and how long a pool without work stays. */
const POLL_S = 10;
const STAY_S = 300;

/** KEDA asks SQS under its own identity, not under the workers'. */
export function triggerAuthentication(): Manifest {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'TriggerAuthentication',
    metadata: { name: AS_KEDA, namespace: NAMESPACE },
    spec: { podIdentity: { provider: 'aws', identityOwner: 'keda' } },
  };
}

/** As many workers as hold the backlog of each at its target, what they have taken counted too, from `minTasks` on. */
export function scaledObject(
  name: string,
  pool: PoolConfig,
  queueUrls: readonly string[],
  awsRegion: string,
): Manifest {
  const queues = queueUrls.map((queueURL) => ({
    type: 'aws-sqs-queue',
    authenticationRef: { name: AS_KEDA },
    metadata: {
      queueURL,
      awsRegion,
      queueLength: String(pool.backlogPerTask),
      activationQueueLength: '0',
      scaleOnInFlight: 'true',
    },
  }));
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      scaleTargetRef: { name },
      pollingInterval: POLL_S,
      cooldownPeriod: STAY_S,
      minReplicaCount: pool.minTasks,
      maxReplicaCount: pool.maxTasks,
      triggers: [...queues, ...cronTriggers(pool)],
    },
  };
}

/** A scheduled minimum lasts until the next one begins. */
function cronTriggers({ scheduledMinimums }: PoolConfig): readonly Manifest[] {
  return scheduledMinimums.flatMap(({ cron, timeZone, minTasks }, at) => {
    const next = scheduledMinimums[(at + 1) % scheduledMinimums.length];
    if (minTasks === 0 || next === undefined) return [];
    const metadata = {
      timezone: timeZone,
      start: unixCron(cron),
      end: unixCron(next.cron),
      desiredReplicas: String(minTasks),
    };
    return [{ type: 'cron', metadata }];
  });
}

/** Of EventBridge's six fields the five that cron has. */
function unixCron(cron: string): string {
  return cron.split(' ').slice(0, 5).join(' ').replaceAll('?', '*');
}
