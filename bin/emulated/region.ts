import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ecsClient, secretsManagerClient } from '../../adapters/aws/clients.ts';
import { serviceName } from '../../adapters/aws/environment.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { Config } from '../../lib/config.ts';
import { regionPrefix, stackName } from '../../lib/names.ts';
import type { Connection } from '../client.ts';
import { Child } from './child.ts';
import { DUMMY_KEYS, type Outputs, type Target } from './deploy.ts';

const WORKER = join(import.meta.dirname, '..', '..', 'gpu-worker', 'main.ts');
const SERVES_WITHIN_MS = 60 * SECOND_MS;
const POOL = 'default';

/** Of a deployed region, its API with the key of the first admin, which `setup` left in a secret. */
export async function operatorOf(
  target: Target,
  { deployment, primary }: Config,
  outputs: Outputs,
): Promise<Connection> {
  const outputOf = (stack: string, output: string) => {
    const value = outputs[stackName(deployment, primary, stack)]?.[output];
    if (value === undefined) throw new Error(`the stack ${stack} has no output ${output}`);
    return value;
  };
  const { hostname, pathname } = new URL(outputOf('api', 'Url'));
  const [api] = hostname.split('.');
  const url = `${target.endpoint}/restapis/${api}${pathname}/_user_request_`;
  const client = secretsManagerClient(clientOptions(target));
  const secret = await client.send(new GetSecretValueCommand({ SecretId: outputOf('data', 'OperatorKeySecret') }));
  if (secret.SecretString === undefined) throw new Error('the secret of the operator key is empty: setup has not run');
  return { url, apiKey: secret.SecretString };
}

/** A worker of the default pool as a process of this machine, told what its deployed task definition says. */
export async function startWorker(target: Target, { deployment, primary }: Config): Promise<Child> {
  const { endpoint, awsRegion, folder, signal } = target;
  const own = join(folder, 'worker');
  await mkdir(own, { recursive: true });
  const child = new Child({
    file: process.execPath,
    args: [WORKER],
    folder: own,
    signal,
    variables: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TMPDIR: own,
      ...(await taskVariables(target, regionPrefix(deployment, primary), serviceName(deployment, POOL))),
      SLUICE_CACHE_FOLDER: join(own, 'cache'),
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: awsRegion,
      ...DUMMY_KEYS,
    },
  });
  const untilMs = performance.now() + SERVES_WITHIN_MS;
  while (!child.lines.some((line) => line.includes('the worker serves'))) {
    if (child.hasEnded || performance.now() > untilMs) {
      await child.stop();
      throw new Error(`the worker does not serve:\n${child.lines.join('\n')}`);
    }
    await delay(100);
  }
  return child;
}

async function taskVariables(target: Target, cluster: string, service: string): Promise<Record<string, string>> {
  const client = ecsClient(clientOptions(target));
  const { services } = await client.send(new DescribeServicesCommand({ cluster, services: [service] }));
  const taskDefinition = services?.[0]?.taskDefinition;
  if (taskDefinition === undefined) throw new Error(`there is no service ${service} in ${cluster}`);
  const described = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
  const variables = described.taskDefinition?.containerDefinitions?.[0]?.environment ?? [];
  return Object.fromEntries(variables.map(({ name, value }) => [name!, value!]));
}

function clientOptions({ endpoint, awsRegion }: Target) {
  const credentials = {
    accessKeyId: DUMMY_KEYS.AWS_ACCESS_KEY_ID,
    secretAccessKey: DUMMY_KEYS.AWS_SECRET_ACCESS_KEY,
  };
  return { region: awsRegion, endpoint, credentials };
}
