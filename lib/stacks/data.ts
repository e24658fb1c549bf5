import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { STREAMS } from '../../adapters/aws/environment.ts';
import { JOBS_INDEXES } from '../../adapters/aws/keys.ts';
import type { RegionKeys } from '../constructs/region-keys.ts';
import { sealedTable, type TableOptions } from '../constructs/sealed-table.ts';
import { tableName } from '../names.ts';
import type { RegionContext } from '../region-context.ts';

/** The region's tables and secrets. None of them is copied anywhere. */
export class Data extends Stack {
  readonly control: TableV2;
  readonly jobs: TableV2;
  readonly limits: TableV2;
  readonly dataKeys: TableV2;
  readonly telemetry: TableV2;
  /** Without a value until `setup` puts one in. */
  readonly signingKeySecretArn: string;
  readonly operatorKeySecretArn: string;
  readonly canaryKeySecretArn: string;

  constructor(scope: Construct, id: string, props: StackProps, { config, region }: RegionContext, keys: RegionKeys) {
    super(scope, id, props);
    const recoveryDays = config.retention.tableRecoveryDays;
    const table = (
      name: string,
      construct: string,
      options: Pick<TableOptions, 'recoveryDays' | 'expires'> & Partial<TableOptions>,
    ) => sealedTable(this, construct, { name: tableName(config.deployment, region, name), key: keys.data, ...options });
    this.control = table('control', 'Control', { recoveryDays, expires: true, stream: STREAMS.validate.view });
    this.jobs = table('jobs', 'Jobs', {
      recoveryDays,
      expires: true,
      indexes: JOBS_INDEXES,
      stream: STREAMS.notices.view,
    });
    this.limits = table('limits', 'Limits', { recoveryDays, expires: true });
    // A key that was destroyed to erase a tenant must not come back.
    this.dataKeys = table('data-keys', 'DataKeys', { recoveryDays: undefined, expires: false });
    // Counts of two weeks that no answer depends on.
    this.telemetry = table('telemetry', 'Telemetry', { recoveryDays: undefined, expires: true });
    this.signingKeySecretArn = this.#emptySecret('SigningKey', 'Signs browser tokens', keys);
    this.operatorKeySecretArn = this.#emptySecret('OperatorKey', 'API key of the first admin', keys);
    this.canaryKeySecretArn = this.#emptySecret('CanaryKey', 'API key of synthetic checks', keys);
    new CfnOutput(this, 'SigningKeySecret', { value: this.signingKeySecretArn });
    new CfnOutput(this, 'OperatorKeySecret', { value: this.operatorKeySecretArn });
  }

  #emptySecret(id: string, description: string, { data }: RegionKeys): string {
    const secret = new CfnSecret(this, id, { description, kmsKeyId: data.keyArn });
    secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return secret.attrId;
  }
}
