import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config.ts';
import { EXAMPLE, makeApp, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp({ ...loadConfig(EXAMPLE), compute: 'eks' }));

// biome-ignore lint/suspicious/noExplicitAny: Kubernetes objects are whatever their kinds take.
type KubernetesObject = any;

/** Tokens in a manifest are joined in by CloudFormation: a stand-in takes their place. */
function objects(region: string): readonly KubernetesObject[] {
  return Object.values(made.resources(region, 'inference', 'Custom::AWSCDK-EKS-KubernetesResource')).flatMap(
    ({ Properties: { Manifest } }) => {
      const text =
        typeof Manifest === 'string'
          ? Manifest
          : Manifest['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'token')).join('');
      return JSON.parse(text);
    },
  );
}

const us = objects('us');

function one(kind: string, name: string): KubernetesObject {
  const found = us.filter((object) => object.kind === kind && object.metadata.name === name);
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0];
}

describe('pools on EKS', () => {
  test('nobody asks for a task of ECS: the cluster starts what is needed', () => {
    const functions = Object.values(made.resources('us', 'api', 'AWS::Lambda::Function'));
    const clusters = functions.flatMap(({ Properties }) => Properties.Environment?.Variables?.SLUICE_CLUSTER ?? []);
    expect(new Set(clusters)).toEqual(new Set(['']));
    expect(JSON.stringify(made.resources('us', 'api', 'AWS::IAM::Policy'))).not.toContain('ecs:UpdateService');
  });

  test('the cluster is private, in Auto Mode, with secrets under our key and all its logs', () => {
    const [cluster] = Object.values(made.resources('us', 'inference', 'AWS::EKS::Cluster'));
    expect(cluster!.Properties).toMatchObject({
      Name: 'sluice-prod-us',
      Version: '1.36',
      ComputeConfig: { Enabled: true },
      ResourcesVpcConfig: { EndpointPublicAccess: false, EndpointPrivateAccess: true },
      EncryptionConfig: [{ Resources: ['secrets'] }],
    });
    expect(cluster!.Properties.Logging.ClusterLogging.EnabledTypes).toHaveLength(5);
  });

  test('GPU nodes take GPU pods alone, On-Demand up to the base, Spot up to the most', () => {
    const nodes = us.filter(({ kind }) => kind === 'NodePool');
    expect(nodes.map(({ metadata, spec }) => [metadata.name, spec.limits['nvidia.com/gpu']])).toEqual([
      ['default-on-demand', 1],
      ['default-spot', 8],
      ['acme-on-demand', 2],
    ]);
    for (const { spec } of nodes) {
      expect(spec.template.spec.taints).toEqual([{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }]);
    }
    expect(one('Deployment', 'default').spec.template.spec.tolerations[0].key).toBe('nvidia.com/gpu');
  });

  test('every pool is followed from its least on by both of its queues, and by the clock', () => {
    for (const pool of ['default', 'cpu', 'acme']) {
      const { spec } = one('ScaledObject', pool);
      const queues = spec.triggers.filter(({ type }: { type: string }) => type === 'aws-sqs-queue');
      expect(queues).toHaveLength(2);
      expect(queues[0].metadata).toMatchObject({
        scaleOnInFlight: 'true',
        activationQueueLength: '0',
        queueLength: '20',
      });
      expect(one('Deployment', pool).spec.replicas).toBeUndefined();
    }
    const { spec } = one('ScaledObject', 'default');
    expect(spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 8 });
    expect(spec.triggers.filter(({ type }: { type: string }) => type === 'cron')).toEqual([
      {
        type: 'cron',
        metadata: {
          timezone: 'America/New_York',
          start: '0 7 * * MON-FRI',
          end: '0 20 * * MON-FRI',
          desiredReplicas: '1',
        },
      },
    ]);
  });

  test('what KEDA knows is applied after KEDA', () => {
    const all = made.resources('us', 'inference');
    const helm = Object.keys(all).find((id) => all[id]!.Type === 'Custom::AWSCDK-EKS-HelmChart')!;
    const [id] = Object.keys(all).filter((name) => name.startsWith('EksAsKedaManifest'));
    expect(all[id!]!.DependsOn).toContain(helm);
    const scaling = Object.keys(all).filter((name) => /Eks[a-z]+ScalingManifest/.test(name));
    expect(scaling).toHaveLength(3);
    for (const name of scaling) expect(all[name]!.DependsOn).toContain(id);
  });

  test("a worker is no user of the system's, writes nothing but its two folders and has two minutes to end", () => {
    for (const pool of ['default', 'cpu', 'acme']) {
      const { spec } = one('Deployment', pool).spec.template;
      expect(spec).toMatchObject({
        terminationGracePeriodSeconds: 120,
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 10001 },
      });
      expect(spec.containers[0].securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(spec.containers[0].volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
        '/cache',
        '/tmp',
      ]);
      expect(spec.topologySpreadConstraints[0].topologyKey).toBe('topology.kubernetes.io/zone');
      expect(one('PodDisruptionBudget', pool).spec.maxUnavailable).toBe(1);
    }
  });

  test('nobody reaches a worker, and policies are enforced', () => {
    expect(one('NetworkPolicy', 'workers-alone').spec).toMatchObject({ podSelector: {}, ingress: [] });
    expect(one('ConfigMap', 'amazon-vpc-cni').data).toEqual({ 'enable-network-policy-controller': 'true' });
    expect(one('Namespace', 'sluice').metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
  });

  test('workers and KEDA act each as a role of their own', () => {
    const identities = Object.values(made.resources('us', 'inference', 'AWS::EKS::PodIdentityAssociation'));
    expect(identities.map(({ Properties }) => `${Properties.Namespace}/${Properties.ServiceAccount}`)).toEqual([
      'sluice/sluice-worker',
      'keda/keda-operator',
    ]);
  });

  test('no function is allowed to start what starts by itself', () => {
    expect(JSON.stringify(made.template('us', 'api').toJSON())).not.toContain('ecs:UpdateService');
  });
});
