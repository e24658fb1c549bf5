import { mkdir, writeFile } from 'node:fs/promises';
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

/** A worker of the default pool as a process of this machine: told what its task definition says, with the rights of its task's role. */
export async function startWorker(target: Target, { deployment, primary }: Config): Promise<Child> {
  const { endpoint, awsRegion, folder, signal } = target;
  const own = join(folder, 'worker');
  await mkdir(own, { recursive: true });
  const { variables, role } = await taskOf(target, regionPrefix(deployment, primary), serviceName(deployment, POOL));
  const profiles = join(own, 'profiles');
  await writeFile(profiles, profilesFor(role));
  const child = new Child({
    file: process.execPath,
    args: [WORKER],
    folder: own,
    signal,
    variables: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TMPDIR: own,
      ...variables,
      SLUICE_CACHE_FOLDER: join(own, 'cache'),
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: awsRegion,
      AWS_CONFIG_FILE: profiles,
      AWS_PROFILE: 'worker',
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

type Task = { readonly variables: Readonly<Record<string, string>>; readonly role: string };

async function taskOf(target: Target, cluster: string, service: string): Promise<Task> {
  const client = ecsClient(clientOptions(target));
  const { services } = await client.send(new DescribeServicesCommand({ cluster, services: [service] }));
  const definition = services?.[0]?.taskDefinition;
  if (definition === undefined) throw new Error(`there is no service ${service} in ${cluster}`);
  const { taskDefinition } = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: definition }));
  const environment = taskDefinition?.containerDefinitions?.[0]?.environment ?? [];
  const variables = Object.fromEntries(environment.map(({ name, value }) => [name!, value!]));
  return { variables, role: taskDefinition?.taskRoleArn ?? '' };
}

/** Of the AWS SDK: the worker's, which assumes its role. */
function profilesFor(role: string): string {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = DUMMY_KEYS;
  return [
    '[profile root]',
    `aws_access_key_id = ${id}`,
    `aws_secret_access_key = ${secret}`,
    '[profile worker]',
    `role_arn = ${role}`,
    'source_profile = root',
    '',
  ].join('\n');
}

function clientOptions({ endpoint, awsRegion }: Target) {
  const credentials = {
    accessKeyId: DUMMY_KEYS.AWS_ACCESS_KEY_ID,
    secretAccessKey: DUMMY_KEYS.AWS_SECRET_ACCESS_KEY,
  };
  return { region: awsRegion, endpoint, credentials };
}
