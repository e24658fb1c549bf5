import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  CfnPodIdentityAssociation,
  Cluster,
  ClusterLoggingTypes,
  DefaultCapacityType,
  EndpointAccess,
  type HelmChart,
  type ICluster,
  KubernetesManifest,
  KubernetesVersion,
} from 'aws-cdk-lib/aws-eks-v2';
import {
  type PolicyStatement,
  Role,
  ServicePrincipal,
  SessionTagsPrincipal,
  PolicyStatement as Statement,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { WORKER_ACCESS } from '../access.ts';
import type { PoolConfig } from '../config-pools.ts';
import { regionVariables } from '../region-resources.ts';
import { accessStatements } from './access-statements.ts';
import {
  disruptionBudget,
  gpuNodePools,
  NAMESPACE,
  networkPolicyController,
  WORKER_ACCOUNT,
  workerDeployment,
  workerNamespace,
  workersAlone,
} from './eks-manifests.ts';
import { KEDA_ACCOUNT, KEDA_NAMESPACE, scaledObject, triggerAuthentication } from './eks-scaling.ts';
import type { ComputeParts, WorkerCompute } from './worker-compute.ts';
import { NOT_IN_IMAGE, workerVariables } from './worker-container.ts';

const KEDA = { chart: 'keda', repository: 'https://kedacore.github.io/charts', version: '2.17.2' } as const;

/** Pools as deployments of one EKS cluster in Auto Mode, followed by KEDA, from zero too: nobody has to wake them. */
export class EksCompute extends Construct implements WorkerCompute {
  readonly clusterName: string;
  readonly #cluster: Cluster;
  readonly #parts: ComputeParts;

  constructor(scope: Construct, id: string, parts: ComputeParts) {
    super(scope, id);
    const { context, resources } = parts;
    this.#parts = parts;
    this.clusterName = resources.cluster;
    this.#cluster = this.#makeCluster();
    const namespace = this.#apply('Namespace', workerNamespace());
    this.#apply('Alone', [networkPolicyController(), workersAlone()]).node.addDependency(namespace);
    this.#identify('Worker', NAMESPACE, WORKER_ACCOUNT, accessStatements(WORKER_ACCESS, resources));
    const keda = this.#addKeda();
    const authentication = this.#apply('AsKeda', [triggerAuthentication()]);
    authentication.node.addDependency(keda, namespace);
    for (const [name, pool] of Object.entries(context.settings.pools)) {
      const made = this.#addPool(name, pool);
      made.node.addDependency(namespace);
      // Its kinds are known once KEDA is there.
      const urls = parts.queues.of(name).map(({ queue }) => queue.queueUrl);
      const scaling = this.#apply(`${name}-Scaling`, [scaledObject(name, pool, urls, context.settings.awsRegion)]);
      scaling.node.addDependency(authentication, made);
    }
  }

  #makeCluster(): Cluster {
    const { resources, network } = this.#parts;
    const subnets = { subnetType: network.workerSubnets };
    return new Cluster(this, 'Cluster', {
      clusterName: resources.cluster,
      version: KubernetesVersion.V1_36,
      vpc: network.vpc,
      vpcSubnets: [subnets],
      defaultCapacityType: DefaultCapacityType.AUTOMODE,
      endpointAccess: EndpointAccess.PRIVATE,
      secretsEncryptionKey: resources.dataKey,
      clusterLogging: Object.values(ClusterLoggingTypes),
      kubectlProviderOptions: {
        kubectlLayer: new KubectlV36Layer(this, 'Kubectl'),
        privateSubnets: network.vpc.selectSubnets(subnets).subnets,
      },
    });
  }

  #addKeda(): HelmChart {
    const { queueArns, dataKey } = this.#parts.resources;
    this.#identify('Keda', KEDA_NAMESPACE, KEDA_ACCOUNT, [
      new Statement({ actions: ['sqs:GetQueueAttributes'], resources: [...queueArns] }),
      new Statement({ actions: ['kms:DescribeKey'], resources: [dataKey.keyArn] }),
    ]);
    return this.#cluster.addHelmChart('KedaChart', {
      ...KEDA,
      release: 'keda',
      namespace: KEDA_NAMESPACE,
      createNamespace: true,
      wait: true,
      values: { serviceAccount: { operator: { create: true, name: KEDA_ACCOUNT } } },
    });
  }

  #addPool(name: string, pool: PoolConfig): KubernetesManifest {
    const { context, resources } = this.#parts;
    const isArm = pool.kind === 'cpu' && pool.architecture === 'arm64';
    const image = new DockerImageAsset(this, `${name}-Image`, {
      directory: isArm ? context.workerImages.arm64 : context.workerImages.x64,
      platform: isArm ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
      target: pool.kind === 'gpu' ? 'cuda' : 'cpu',
      exclude: NOT_IN_IMAGE,
    });
    const environment = {
      ...regionVariables(context, resources),
      ...workerVariables(context, name, pool),
      // Of what ECS and Lambda set by themselves.
      AWS_REGION: context.settings.awsRegion,
    };
    return this.#apply(name, [
      ...(pool.kind === 'gpu' ? gpuNodePools(name, pool) : []),
      workerDeployment({ name, pool, image: image.imageUri, environment }),
      disruptionBudget(name),
    ]);
  }

  /** Pods of a service account act as a role of theirs. */
  #identify(id: string, namespace: string, serviceAccount: string, statements: readonly PolicyStatement[]): void {
    const role = new Role(this, `${id}Role`, {
      assumedBy: new SessionTagsPrincipal(new ServicePrincipal('pods.eks.amazonaws.com')),
    });
    for (const statement of statements) role.addToPolicy(statement);
    const { clusterName } = this.#cluster;
    new CfnPodIdentityAssociation(this, `${id}Identity`, {
      clusterName,
      namespace,
      serviceAccount,
      roleArn: role.roleArn,
    });
  }

  #apply(id: string, manifest: readonly Readonly<Record<string, unknown>>[]): KubernetesManifest {
    return new KubernetesManifest(this, `${id}-Manifest`, {
      cluster: this.#cluster as ICluster,
      manifest: [...manifest],
    });
  }
}
