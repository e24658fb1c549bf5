import { Duration, Size } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { FUNCTION_ACCESS } from '../access.ts';
import type { DeployedFunction } from '../bundle.ts';
import type { RegionContext } from '../region-context.ts';
import { type RegionResources, regionVariables } from '../region-resources.ts';
import { accessStatements } from './access-statements.ts';
import { sealedLogGroup } from './sealed-log-group.ts';

type FunctionSize = { readonly memoryMib: number; readonly timeoutS: number; readonly storageMib?: number };

/** A gateway waits 25 s for an answer and says 202 then; the rest is for streaming it. */
const ANSWERING: FunctionSize = { memoryMib: 1024, timeoutS: 60 };
/** One that runs models: as many cores as Lambda has, and room for the largest files. */
const RUNNING_MODELS: FunctionSize = { memoryMib: 10_240, timeoutS: 900, storageMib: 10_240 };

const SIZES: Readonly<Record<DeployedFunction, FunctionSize>> = {
  infer: ANSWERING,
  predictions: ANSWERING,
  catalogue: { memoryMib: 512, timeoutS: 29 },
  // API Gateway waits no longer for an answer that is not streamed.
  replay: { ...RUNNING_MODELS, timeoutS: 29 },
  // The files of a push pass through its disk.
  control: { memoryMib: 1024, timeoutS: 29, storageMib: 4096 },
  validate: RUNNING_MODELS,
  notices: { memoryMib: 512, timeoutS: 120 },
  sweep: { memoryMib: 1024, timeoutS: 55 },
  'model-packages': { memoryMib: 1024, timeoutS: 300, storageMib: 4096 },
  'release-step': { memoryMib: 1024, timeoutS: 55 },
  // 200 versions of some hundred reads each.
  quality: { memoryMib: 1024, timeoutS: 600 },
  // Begins again each minute, whatever the one before does.
  watch: { memoryMib: 1024, timeoutS: 55 },
  setup: { memoryMib: 512, timeoutS: 60 },
};

export type FunctionParts = {
  readonly context: RegionContext;
  readonly resources: RegionResources;
  /** Of each function, the folder with its code. */
  readonly folders: Readonly<Record<DeployedFunction, string>>;
  /** Takes what a function failed at that nobody waits for. */
  readonly failed: IQueue;
  readonly variables?: Readonly<Record<string, string>>;
};

/** A function of the platform, with a role that allows what it does and a log under our key. */
export class PlatformFunction extends Construct {
  readonly function: LambdaFunction;
  readonly log: ILogGroup;

  constructor(scope: Construct, id: string, name: DeployedFunction, parts: FunctionParts) {
    super(scope, id);
    const { context, resources } = parts;
    const { config } = context;
    const { memoryMib, timeoutS, storageMib = 512 } = SIZES[name];
    this.log = sealedLogGroup(this, 'Log', { config, key: resources.operationsKey });
    const reserved = config.reservedConcurrency[name];
    this.function = new LambdaFunction(this, 'Function', {
      description: `Sluice ${config.deployment}, ${context.region}: ${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(parts.folders[name]),
      role: this.#role(name, parts),
      memorySize: memoryMib,
      timeout: Duration.seconds(timeoutS),
      ephemeralStorageSize: Size.mebibytes(storageMib),
      environment: { ...regionVariables(context, resources), ...parts.variables },
      logGroup: this.log,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.DISABLED,
      deadLetterQueue: parts.failed,
      ...(reserved !== undefined && { reservedConcurrentExecutions: reserved }),
    });
  }

  #role(name: DeployedFunction, { resources }: FunctionParts): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const statement of accessStatements(FUNCTION_ACCESS[name], resources)) role.addToPolicy(statement);
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.log.logGroupArn],
      }),
    );
    return role;
  }
}
