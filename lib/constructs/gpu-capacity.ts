import {
  AutoScalingGroup,
  GroupMetrics,
  type IAutoScalingGroup,
  SpotAllocationStrategy,
} from 'aws-cdk-lib/aws-autoscaling';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  InstanceType,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
} from 'aws-cdk-lib/aws-ec2';
import {
  AmiHardwareType,
  AsgCapacityProvider,
  type CapacityProviderStrategy,
  type Cluster,
  EcsOptimizedImage,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { GpuPool } from '../config-pools.ts';
import { gpuUserData } from './gpu-user-data.ts';
import type { Network } from './network.ts';

const MARKETS = ['OnDemand', 'Spot'] as const;
type Market = (typeof MARKETS)[number];

/** The machine image, the worker's image, and models where an instance has no disk of its own. */
const ROOT_GIB = 100;
/** While a new version is rolled out: less, and ECS, which rounds down, could not replace the only task of a pool. */
export const ROLLOUT_PERCENT = 200;

export type GpuCapacityParts = { readonly pool: GpuPool; readonly cluster: Cluster; readonly network: Network };

/** Instances of a pool: On-Demand up to its base, then Spot beside it, as many as ECS asks for and none without tasks. */
export class GpuCapacity extends Construct {
  readonly strategies: readonly CapacityProviderStrategy[];
  readonly groups: readonly AutoScalingGroup[];

  constructor(scope: Construct, id: string, parts: GpuCapacityParts) {
    super(scope, id);
    const { pool, cluster } = parts;
    const made = MARKETS.map((market) => {
      const group = this.#group(market, parts);
      const provider = new AsgCapacityProvider(this, `${market}Capacity`, {
        autoScalingGroup: group as IAutoScalingGroup,
        enableManagedScaling: true,
        enableManagedTerminationProtection: true,
        enableManagedDraining: true,
        targetCapacityPercent: 100,
        instanceWarmupPeriod: 120,
      });
      cluster.addAsgCapacityProvider(provider);
      return { group, capacityProvider: provider.capacityProviderName };
    });
    this.groups = made.map(({ group }) => group);
    const [onDemand, spot] = made as [(typeof made)[number], (typeof made)[number]];
    this.strategies = [
      { capacityProvider: onDemand.capacityProvider, base: pool.onDemandBase, weight: 100 - pool.spotPercent },
      { capacityProvider: spot.capacityProvider, weight: pool.spotPercent },
    ];
  }

  #group(market: Market, { pool, network }: GpuCapacityParts): AutoScalingGroup {
    const launchTemplate = new LaunchTemplate(this, `${market}Template`, {
      machineImage: EcsOptimizedImage.amazonLinux2023(AmiHardwareType.GPU),
      userData: gpuUserData(),
      role: new Role(this, `${market}Role`, { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }),
      securityGroup: network.workers,
      requireImdsv2: true,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: '/dev/xvda',
          volume: BlockDeviceVolume.ebs(ROOT_GIB, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    });
    return new AutoScalingGroup(this, `${market}Group`, {
      vpc: network.vpc,
      vpcSubnets: { subnetType: network.workerSubnets },
      mixedInstancesPolicy: {
        launchTemplate,
        launchTemplateOverrides: pool.instanceTypes.map((type) => ({ instanceType: new InstanceType(type) })),
        instancesDistribution: {
          onDemandPercentageAboveBaseCapacity: market === 'OnDemand' ? 100 : 0,
          // The pools of instances that are least likely to be taken back soon, the cheapest of them first.
          spotAllocationStrategy: SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        },
      },
      minCapacity: 0,
      maxCapacity: Math.ceil((pool.maxTasks * ROLLOUT_PERCENT) / 100),
      groupMetrics: [GroupMetrics.all()],
    });
  }
}
