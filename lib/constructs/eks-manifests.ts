import type { CpuPool, GpuPool, PoolConfig } from '../config-pools.ts';
import { WORKER_UID } from './gpu-user-data.ts';
import { CACHE_FOLDER, SCRATCH_FOLDER } from './worker-container.ts';

/** A Kubernetes object; strings in it may be CDK tokens. */
export type Manifest = Readonly<Record<string, unknown>>;

export const NAMESPACE = 'sluice';
export const WORKER_ACCOUNT = 'sluice-worker';
const GPU = 'nvidia.com/gpu';
const POOL_LABEL = 'sluice/pool';
const STOP_WITHIN_S = 120;

/** Instances for a pool's GPU pods and no others: On-Demand up to the base, which is preferred, then Spot. */
export function gpuNodePools(name: string, pool: GpuPool): readonly Manifest[] {
  const markets = [
    { market: 'on-demand', most: Math.max(pool.onDemandBase, pool.spotPercent === 0 ? pool.maxTasks : 0), weight: 100 },
    { market: 'spot', most: pool.spotPercent === 0 ? 0 : pool.maxTasks, weight: 10 },
  ];
  return markets
    .filter(({ most }) => most > 0)
    .map(({ market, most, weight }) => ({
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: `${name}-${market}` },
      spec: {
        weight,
        limits: { [GPU]: most },
        disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '5m' },
        template: {
          metadata: { labels: { [POOL_LABEL]: name } },
          spec: {
            nodeClassRef: { group: 'eks.amazonaws.com', kind: 'NodeClass', name: 'default' },
            taints: [{ key: GPU, value: 'true', effect: 'NoSchedule' }],
            requirements: [
              { key: 'node.kubernetes.io/instance-type', operator: 'In', values: [...pool.instanceTypes] },
              { key: 'karpenter.sh/capacity-type', operator: 'In', values: [market] },
            ],
          },
        },
      },
    }));
}

export type WorkerPod = {
  readonly name: string;
  readonly pool: PoolConfig;
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** A pool's workers, without a number of them: that is KEDA's. */
export function workerDeployment({ name, pool, image, environment }: WorkerPod): Manifest {
  const labels = { [POOL_LABEL]: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: WORKER_ACCOUNT,
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: STOP_WITHIN_S,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: WORKER_UID,
            runAsGroup: WORKER_UID,
            fsGroup: WORKER_UID,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          ...placement(name, pool),
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'topology.kubernetes.io/zone',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: labels },
            },
          ],
          containers: [workerContainer(pool, image, environment)],
          volumes: [
            { name: 'cache', emptyDir: { sizeLimit: `${pool.cacheGib}Gi` } },
            { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
          ],
        },
      },
    },
  };
}

function workerContainer(pool: PoolConfig, image: string, environment: Readonly<Record<string, string>>): Manifest {
  const command = ['node', 'main.mjs', '--health'];
  return {
    name: 'worker',
    image,
    env: Object.entries(environment).map(([name, value]) => ({ name, value })),
    resources: resourcesOf(pool),
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    livenessProbe: { exec: { command }, initialDelaySeconds: 60, periodSeconds: 10, timeoutSeconds: 5 },
    volumeMounts: [
      { name: 'cache', mountPath: CACHE_FOLDER },
      { name: 'scratch', mountPath: SCRATCH_FOLDER },
    ],
  };
}

function placement(name: string, pool: PoolConfig): Manifest {
  if (pool.kind === 'gpu') {
    return {
      nodeSelector: { [POOL_LABEL]: name },
      tolerations: [{ key: GPU, operator: 'Exists', effect: 'NoSchedule' }],
    };
  }
  return { nodeSelector: { 'kubernetes.io/arch': pool.architecture === 'arm64' ? 'arm64' : 'amd64' } };
}

function resourcesOf(pool: GpuPool | CpuPool): Manifest {
  const memory = `${pool.memoryMib}Mi`;
  if (pool.kind === 'gpu') return { requests: { memory }, limits: { memory, [GPU]: 1 } };
  return { requests: { cpu: pool.vcpu, memory }, limits: { memory } };
}

/** Nodes are emptied one worker at a time. */
export function disruptionBudget(name: string): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: NAMESPACE },
    spec: { maxUnavailable: 1, selector: { matchLabels: { [POOL_LABEL]: name } } },
  };
}

/** Nobody reaches a worker; it reaches names, AWS by TLS, and the agent from which it has its credentials. */
export function workersAlone(): Manifest {
  const agent = { to: [{ ipBlock: { cidr: '169.254.170.23/32' } }], ports: [{ protocol: 'TCP', port: 80 }] };
  const dns = [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'workers-alone', namespace: NAMESPACE },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [{ ports: dns }, { ports: [{ protocol: 'TCP', port: 443 }] }, agent],
    },
  };
}

/** Auto Mode enforces network policies once it is told to. */
export function networkPolicyController(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'amazon-vpc-cni', namespace: 'kube-system' },
    data: { 'enable-network-policy-controller': 'true' },
  };
}

/** Whose pods, and under what rules of Kubernetes itself. */
export function workerNamespace(): readonly Manifest[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: WORKER_ACCOUNT, namespace: NAMESPACE } },
  ];
}
