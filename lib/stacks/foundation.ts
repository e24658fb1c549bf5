import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Network } from '../constructs/network.ts';
import { RegionKeys } from '../constructs/region-keys.ts';
import { REGION_KEY_OUTPUT } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/** What a region's other stacks stand on: its keys and its network. */
export class Foundation extends Stack {
  readonly keys: RegionKeys;
  readonly network: Network;
  readonly #zones: readonly string[];

  constructor(scope: Construct, id: string, props: StackProps, context: RegionContext) {
    super(scope, id, props);
    this.#zones = context.settings.availabilityZones;
    this.keys = new RegionKeys(this, 'Keys', context);
    this.network = new Network(this, 'Network', context, this.keys.operations);
    new CfnOutput(this, REGION_KEY_OUTPUT, { value: this.keys.data.keyArn });
  }

  /** Those of the configuration: CDK would ask the account, also where it is told which to use. */
  override get availabilityZones(): string[] {
    return [...this.#zones];
  }
}
