import { STREAMED_FUNCTIONS } from '../../adapters/aws/environment.ts';
import type { SettingsText } from '../../adapters/aws/settings.ts';
import { ApiGateway, type Integration, type Methods } from '../../test/support/aws/api-gateway.ts';
import { type Cloud, startCloud } from '../../test/support/aws/cloud.ts';
import { DeployedPlatform } from '../../test/support/aws/deployed-platform.ts';
import { LambdaFunction } from '../../test/support/aws/lambda-function.ts';
import { CallRecorder } from './call-recorder.ts';

type Options = Parameters<typeof DeployedPlatform.start>[1];
type HttpFunctionName = 'infer' | 'predictions';

/** What a measurement may ask of a deployment. */
export type DeploymentOptions = Pick<NonNullable<Options>, 'models' | 'workers' | 'runners'> & {
  /** Processes of `infer` at the most, made ahead. */
  readonly processes: number;
};

/** The function `infer` in processes of its own, and where it is asked. */
type OpenFunction = { readonly infer: LambdaFunction; readonly gateway: ApiGateway };

const TENANT = 'bench';
/** Processes that are made at once: on two cores more only wait for each other. */
const STARTED_AT_ONCE = 4;
const TIMEOUT_MS = 60_000;

/**
 * The deployed form on this machine: functions as they are bundled for Lambda behind a gateway, a worker, emulators for
 * services; every call of a service is recorded. A tenant of the plan `enterprise` asks.
 */
export class Deployment {
  readonly recorder: CallRecorder;
  readonly #cloud: Cloud;
  readonly #opened: OpenFunction[] = [];
  #platform: DeployedPlatform | undefined;
  #apiKey: string | undefined;

  private constructor(cloud: Cloud, recorder: CallRecorder) {
    this.#cloud = cloud;
    this.recorder = recorder;
  }

  static async start({ processes, ...options }: DeploymentOptions): Promise<Deployment> {
    const cloud = await startCloud();
    const deployment = new Deployment(cloud, await CallRecorder.start(cloud.endpoints));
    try {
      const { endpoints } = deployment.recorder;
      deployment.#platform = await DeployedPlatform.start(cloud, {
        ...options,
        scheduled: [],
        endpoints,
        checksAccess: false,
      });
      deployment.#logAsDeployed();
      deployment.#apiKey = (await deployment.#platform.addTenant(TENANT)).key;
      await deployment.open(processes);
      return deployment;
    } catch (error) {
      await deployment.end();
      throw error;
    }
  }

  get apiKey(): string {
    return this.#apiKey!;
  }

  /** Where the function is asked that was opened first. */
  get gateway(): ApiGateway {
    return this.#opened[0]!.gateway;
  }

  /** Opens the function with processes of their own, made ahead; `environment`: beside what it is deployed with; `folder`: other code. */
  async open(
    processes: number,
    environment: Readonly<Record<string, string>> = {},
    folder?: string,
  ): Promise<OpenFunction> {
    const { functions } = this.#platform!.region().deployed;
    const { spec } = functions.infer;
    const own = {
      ...spec,
      ...(folder !== undefined && { folder }),
      concurrency: processes,
      environment: { ...spec.environment, ...environment },
    };
    const infer = new LambdaFunction(own);
    const gateway = await ApiGateway.start(0, methodsOf({ infer, predictions: functions.predictions }));
    this.#opened.push({ infer, gateway });
    for (let made = 0; made < processes; made += STARTED_AT_ONCE) {
      await infer.warm(Math.min(STARTED_AT_ONCE, processes - made));
    }
    return { infer, gateway };
  }

  /** Tests log every request; a deployment does not. */
  #logAsDeployed(): void {
    const { parameters } = this.#cloud.ssm;
    const name = this.#platform!.region().deployed.variables.SLUICE_SETTINGS_PARAMETER;
    const settings = JSON.parse(parameters.get(name)!) as SettingsText;
    parameters.set(name, JSON.stringify({ ...settings, logLevel: 'info' } satisfies SettingsText));
  }

  async end(): Promise<void> {
    for (const { infer, gateway } of this.#opened) {
      await gateway.stop();
      await infer.stop();
    }
    await this.#platform?.end();
    this.recorder.stop();
    await this.#cloud.stop();
  }
}

/** A deployment for `body` alone. */
export async function withDeployment<T>(
  options: DeploymentOptions,
  body: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  const deployment = await Deployment.start(options);
  try {
    return await body(deployment);
  } finally {
    await deployment.end();
  }
}

function methodsOf(functions: Readonly<Record<HttpFunctionName, LambdaFunction>>): Methods {
  const to = (name: HttpFunctionName): Integration => ({
    invoke: (event, id) => functions[name].invoke(event, id),
    streamed: STREAMED_FUNCTIONS.has(name),
    timeoutMs: TIMEOUT_MS,
  });
  return { 'POST /v2/models/{model}/infer': to('infer'), 'GET /v2/predictions/{id}': to('predictions') };
}
