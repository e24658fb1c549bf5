import {
  queueUrls,
  type RegionVariables,
  readRegionEnvironment,
  serviceName,
} from '../../../adapters/aws/environment.ts';
import { type Access, FUNCTION_ACCESS, WORKER_ACCESS } from '../../../lib/access.ts';
import type { DeployedFunction } from '../../../lib/bundle.ts';
import { accessStatements } from '../../../lib/constructs/access-statements.ts';
import type { RegionResources } from '../../../lib/region-resources.ts';
import { keyNeedsOf, type Place, parameterArn, queueArn, secretArn, serviceArn, tableArn } from './iam-calls.ts';
import { isAllowed, type Statement } from './iam-policy.ts';
import type { Seen, Unread } from './iam-watch.ts';

/** A function by its name, or the worker. */
export type Process = DeployedFunction | 'worker';

export const PROCESS_ACCESS: Readonly<Record<Process, Access>> = { ...FUNCTION_ACCESS, worker: WORKER_ACCESS };

/** What a process did that its policy does not allow. */
export type Denied = { readonly process: string; readonly action: string; readonly resource: string };

/** The access key id of a process in a test: it says whose it is. */
export function accessKeyIdOf(process: Process): string {
  return `TEST-${process}`;
}

/** Each process's statements over a region's resources, as its role has them. */
export function policiesOf(
  region: {
    readonly variables: RegionVariables;
    readonly operatorKeySecret: string;
    readonly canaryKeySecret: string;
  },
  place: Place,
  access: Readonly<Record<string, Access>> = PROCESS_ACCESS,
): ReadonlyMap<string, readonly Statement[]> {
  const resources = resourcesOf(region, place);
  return new Map(
    Object.entries(access).map(([process, each]) => [
      process,
      accessStatements(each, resources).map((statement) => statement.toStatementJson() as Statement),
    ]),
  );
}

export function processOf(accessKeyId: string): string {
  return accessKeyId.replace(/^TEST-/, '');
}

/** What of all that was seen is not allowed, and what could not be read. */
export function judge(
  { seen, unread }: { readonly seen: readonly Seen[]; readonly unread: readonly Unread[] },
  policies: ReadonlyMap<string, readonly Statement[]>,
  keyArn: string,
  place: Place,
): readonly Denied[] {
  const denied = new Map<string, Denied>();
  for (const { accessKeyId, ...need } of seen) {
    const process = processOf(accessKeyId);
    for (const each of [need, ...keyNeedsOf(need, keyArn, place)]) {
      if (isAllowed(policies.get(process) ?? [], each)) continue;
      const told = { process, action: each.action, resource: `${each.resource}${contextText(each.context)}` };
      denied.set(JSON.stringify(told), told);
    }
  }
  for (const { accessKeyId, problem } of unread) {
    denied.set(problem, { process: processOf(accessKeyId), action: 'unknown', resource: problem });
  }
  return [...denied.values()];
}

function contextText(context: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(context);
  return pairs.length === 0 ? '' : ` (${pairs.map(([key, value]) => `${key}=${value}`).join(', ')})`;
}

/** The resources of a region of tests, as `lib/` would name them to a policy. */
function resourcesOf(
  { variables, operatorKeySecret, canaryKeySecret }: Parameters<typeof policiesOf>[0],
  place: Place,
): RegionResources {
  const environment = readRegionEnvironment({ ...variables, AWS_REGION: place.region });
  const tables = Object.entries(environment.tables).map(([name, table]) => [
    name,
    { name: table, arn: tableArn(table, place) },
  ]);
  const buckets = Object.entries(environment.buckets).map(([name, bucket]) => [
    name,
    { name: bucket, arn: `arn:aws:s3:::${bucket}` },
  ]);
  const queues = Object.values(queueUrls(environment)).flatMap((lanes) => Object.values(lanes));
  const ofUrl = (url: string) => queueArn(url.split('/').at(-1)!, place);
  const { settingsParameter, signingKeySecret, cluster, pools, deployment, queuesUrl } = environment;
  // Of a key, statements ask where and which it is alone.
  const dataKey = { keyArn: variables.SLUICE_KEY_ID, env: place } as unknown as RegionResources['dataKey'];
  return {
    tables: Object.fromEntries(tables) as RegionResources['tables'],
    buckets: Object.fromEntries(buckets) as RegionResources['buckets'],
    dataKey,
    operationsKey: dataKey,
    signingKeySecretArn: secretArn(signingKeySecret, place),
    operatorKeySecretArn: secretArn(operatorKeySecret, place),
    canaryKeySecretArn: secretArn(canaryKeySecret, place),
    modelPackages: { packageArns: [], modelBuckets: [] },
    settingsParameter: { name: settingsParameter, arn: parameterArn(settingsParameter, place) },
    queueArns: queues.map(({ url }) => ofUrl(url)),
    deadLetterArns: queues.map(({ deadLetterUrl }) => ofUrl(deadLetterUrl)),
    queuesUrl,
    cluster,
    serviceArns: pools.map((pool) => serviceArn(cluster, serviceName(deployment, pool), place)),
  };
}
