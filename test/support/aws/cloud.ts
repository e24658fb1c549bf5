import type { Endpoints } from '../../../adapters/aws/environment.ts';
import type { DeployedFunction } from '../../../lib/bundle.ts';
import { bundledFunctions } from './bundles.ts';
import { type Emulators, startEmulators } from './emulators.ts';
import { FakeEcs } from './fake-ecs.ts';
import { SecretsEmulator } from './secrets-emulator.ts';
import { SsmEmulator } from './ssm-emulator.ts';

/** All services of AWS that a deployment calls, on this machine, and the code that is deployed. */
export type Cloud = Emulators & {
  readonly ssm: SsmEmulator;
  readonly secrets: SecretsEmulator;
  readonly ecs: FakeEcs;
  readonly endpoints: { readonly [Service in keyof Endpoints]: string };
  /** The folder of each function, bundled as it is deployed. */
  readonly folders: Readonly<Record<DeployedFunction, string>>;
};

/** Refuses connections, as nothing here calls it. */
const NOWHERE = 'http://127.0.0.1:9';

export async function startCloud(): Promise<Cloud> {
  // For the ports that tests open in this process.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
  const [emulators, ssm, secrets, ecs, folders] = await Promise.all([
    startEmulators(),
    SsmEmulator.start(),
    SecretsEmulator.start(),
    FakeEcs.start(),
    bundledFunctions(),
  ]);
  const { dynamo, kms, fauxqs } = emulators;
  return {
    ...emulators,
    ssm,
    secrets,
    ecs,
    folders,
    endpoints: {
      dynamo: await urlOf(dynamo.client),
      kms: await urlOf(kms.client),
      s3: await urlOf(fauxqs.s3),
      sqs: await urlOf(fauxqs.sqs),
      ssm: ssm.url,
      secretsManager: secrets.url,
      ecs: ecs.endpoint,
      sagemaker: NOWHERE,
    },
    async stop() {
      await Promise.all([emulators.stop(), ssm.stop(), secrets.stop(), ecs.stop()]);
    },
  };
}

/** Where a client's calls go. */
async function urlOf({
  config,
}: {
  config: { endpoint?: (() => Promise<{ protocol: string; hostname: string; port?: number }>) | undefined };
}): Promise<string> {
  const { protocol, hostname, port } = await config.endpoint!();
  return `${protocol}//${hostname}:${port}`;
}
