import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { RegionContext } from '../region-context.ts';
import { sealedLogGroup } from './sealed-log-group.ts';

/** What workers call beside S3 and DynamoDB, which have gateways without a price. */
const WORKER_SERVICES = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrImages: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Ecs: InterfaceVpcEndpointAwsService.ECS,
  EcsAgent: InterfaceVpcEndpointAwsService.ECS_AGENT,
  EcsTelemetry: InterfaceVpcEndpointAwsService.ECS_TELEMETRY,
  Kms: InterfaceVpcEndpointAwsService.KMS,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Sqs: InterfaceVpcEndpointAwsService.SQS,
} as const;

/**
 * Where workers run. On ECS without any way to the internet: every service is reached by an endpoint. On EKS with one, by NAT,
 * as a cluster's add-ons come from public registries. Functions run outside of it.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  /** Of workers: nobody connects to them. */
  readonly workers: SecurityGroup;
  readonly workerSubnets: SubnetType;

  constructor(scope: Construct, id: string, context: RegionContext, logKey: IKey) {
    super(scope, id);
    const { config, settings } = context;
    const isClosed = config.compute === 'ecs';
    this.workerSubnets = isClosed ? SubnetType.PRIVATE_ISOLATED : SubnetType.PRIVATE_WITH_EGRESS;
    const inside = { name: 'workers', subnetType: this.workerSubnets, cidrMask: 20 };
    const outside = { name: 'nat', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false };
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(settings.cidr),
      maxAzs: settings.availabilityZones.length,
      natGateways: isClosed ? 0 : 1,
      subnetConfiguration: isClosed ? [inside] : [inside, outside],
      restrictDefaultSecurityGroup: false,
    }) as IVpc;
    this.vpc.addFlowLog('Flows', {
      destination: FlowLogDestination.toCloudWatchLogs(sealedLogGroup(this, 'FlowLogs', { config, key: logKey })),
    });
    this.workers = new SecurityGroup(this, 'Workers', {
      vpc: this.vpc,
      description: 'Workers: take work from queues, listen to nobody',
      allowAllOutbound: !isClosed,
    });
    this.#addGateways();
    if (isClosed) this.#addEndpoints();
  }

  #addGateways(): void {
    for (const [name, service] of [
      ['S3', GatewayVpcEndpointAwsService.S3],
      ['DynamoDb', GatewayVpcEndpointAwsService.DYNAMODB],
    ] as const) {
      this.vpc.addGatewayEndpoint(name, { service });
    }
    if (this.workerSubnets !== SubnetType.PRIVATE_ISOLATED) return;
    // The addresses behind a gateway are the service's; routes let nothing else out.
    this.workers.addEgressRule(
      Peer.anyIpv4(),
      Port.tcp(443),
      'S3 and DynamoDB by their gateways, all else by endpoints',
    );
  }

  #addEndpoints(): void {
    const endpoints = new SecurityGroup(this, 'Endpoints', {
      vpc: this.vpc,
      description: 'AWS services as workers reach them',
      allowAllOutbound: false,
    });
    endpoints.addIngressRule(this.workers, Port.tcp(443), 'Workers');
    for (const [name, service] of Object.entries(WORKER_SERVICES)) {
      this.vpc.addInterfaceEndpoint(name, {
        service,
        securityGroups: [endpoints],
        open: false,
        subnets: { subnetType: this.workerSubnets },
      });
    }
  }
}
