import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { HTTP_FUNCTIONS, INNER_FUNCTIONS } from '../adapters/aws/environment.ts';
import { consoleSchema } from './config-console.ts';
import { poolSchema } from './config-pools.ts';
import { instanceTypesOf } from './pool-prices.ts';

const url = z.url({ protocol: /^https$/ }).refine((text) => !text.endsWith('/'), 'without a slash at its end');
const hostname = z
  .string()
  .regex(/^(?=.{4,253}$)([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/, 'a host name such as us.api.example.com');
const origin = z.string().regex(/^(\*|https?:\/\/[^/\s]+)$/, "an origin such as https://app.example.com, or '*'");
/** As worker pools are named everywhere. */
const poolId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes, at most 31, letter first');

/** By instance type, or `fargate-arm64-4x8` for 4 vCPU and 8 GiB of Fargate: US dollars an hour. Without `spot` that is as dear as On-Demand. */
const prices = z
  .record(
    z.string().regex(/^[a-z0-9-]+(\.[a-z0-9]+)?$/, 'an instance type such as g5.xlarge, or fargate-arm64-4x8'),
    z.strictObject({ onDemand: z.number().positive(), spot: z.number().positive().optional() }),
  )
  .default({});

const region = z.strictObject({
  awsRegion: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region such as us-east-1'),
  /** Named here, so that a synthesis asks no account. */
  availabilityZones: z
    .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'a zone such as us-east-1a'))
    .min(2)
    .max(4),
  /** Each zone has a subnet of 4,096 addresses. */
  cidr: z.cidrv4().refine((text) => /\/1[67]$/.test(text), 'of /16 or /17'),
  /** Without one the API has the address that API Gateway gives it. */
  domain: z
    .strictObject({
      name: hostname,
      certificateArn: z.string().regex(/^arn:[a-z-]+:acm:/, 'the ARN of an ACM certificate in the same region'),
      /** Where its address record is written; without it you write one yourself. */
      hostedZone: z.strictObject({ id: z.string().min(1), name: hostname }).optional(),
    })
    .optional(),
  /** Where other regions find this one if it has no domain: known after its first deployment. */
  url: url.optional(),
  pools: z.record(poolId, poolSchema),
  /** Where this region's prices differ. */
  prices,
});

/**
 * Of the whole API of a region, before any quota of a tenant. One address may send two fifths of that unless a number is given, which the
 * firewall takes from 10 to 2,000,000,000.
 */
const api = z
  .strictObject({
    requestsPerSecond: z.int().min(1),
    burst: z.int().min(1),
    requestsPerFiveMinutesPerAddress: z.int().min(10).max(2_000_000_000).optional(),
  })
  .transform(({ requestsPerFiveMinutesPerAddress: given, ...stage }) => ({
    ...stage,
    requestsPerFiveMinutesPerAddress: given ?? stage.requestsPerSecond * 120,
  }));

const reservedConcurrency = z.partialRecord(
  z.enum([...(Object.keys(HTTP_FUNCTIONS) as (keyof typeof HTTP_FUNCTIONS)[]), ...INNER_FUNCTIONS]),
  z.int().min(1).max(10_000),
);

/** Days that CloudWatch Logs can keep a log. */
const LOG_DAYS = [30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653] as const;

/** So short that a queue's name, with deployment, pool and lane, stays within SQS's 80 characters. */
const regionId = z.string().regex(/^[a-z]{2}[a-z0-9-]{0,10}$/, 'a region name such as us or eu-west-1');

const schema = z.strictObject({
  deployment: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,9}$/, 'lower-case letters, digits and dashes, at most 10, letter first'),
  account: z.string().regex(/^\d{12}$/, 'an AWS account: 12 digits'),
  /** The region whose stacks own what is global, and from which model files go to the others. */
  primary: z.string(),
  /** `weak` lets stacks be replaced and removed one by one; `strong` is for CloudFormation without Fn::GetStackOutput. */
  crossStackReferences: z.enum(['weak', 'strong']).default('weak'),
  /** What runs the workers. */
  compute: z.enum(['ecs', 'eks']).default('ecs'),
  alarmEmails: z.array(z.email()).min(1),
  /** Where an alarm's runbook is read. */
  runbookUrl: url,
  retention: z.strictObject({
    logDays: z.literal(LOG_DAYS),
    /** How far back a table can be restored. */
    tableRecoveryDays: z.int().min(1).max(35),
  }),
  corsOrigins: z.array(origin).max(50).default([]),
  console: consoleSchema.optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** What an hour of one runner costs where the price list says nothing; without it that list gives it for the default pool of each region. */
  /** The share of a model's requests that are not to fail through us: what alarms about error budgets are made of. */
  slo: z.number().min(0.5).max(0.99999).default(0.999),
  /** What synthetic checks ask each region for, from outside and once a minute from within. */
  checks: z
    .strictObject({
      /** Minutes between checks from outside (CloudWatch Synthetics); 0: none. */
      everyMinutes: z.int().min(0).max(60).default(5),
      /** Whose prediction is asked for; without one none is. Of a pool that never goes to zero: a check from outside would wake it. */
      model: z.string().min(1).max(100).optional(),
      /** The body of its infer request. */
      body: z.record(z.string(), z.unknown()).default({}),
    })
    .default({ everyMinutes: 5, body: {} }),
  usdPerComputeHour: z.number().positive().optional(),
  /** What regions pay unless they say otherwise. */
  prices,
  /** A collector that takes spans by OTLP over HTTP, and the share of requests that it is told of beside all failures. */
  traces: z.strictObject({ url, share: z.number().min(0).max(1).default(0.01) }).optional(),
  api,
  reservedConcurrency: reservedConcurrency.default({}),
  sagemaker: z
    .strictObject({
      /** Groups of the Model Registry whose approved packages become versions. */
      modelPackageGroups: z
        .array(z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/, 'a model package group'))
        .max(50),
      /** Buckets that their models lie in. */
      modelBuckets: z.array(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name')).max(50),
      /** Whether such a version is released over the stable one, by the plan of its manifest. */
      startReleases: z.boolean().default(false),
    })
    .default({ modelPackageGroups: [], modelBuckets: [], startReleases: false }),
  regions: z.record(regionId, region),
});

export type Config = z.output<typeof schema>;
export type RegionSettings = z.output<typeof region>;

/** Reads an environment's file; throws one error that lists every problem with its path. */
export function loadConfig(path: string): Config {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return parseConfig(read);
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Throws one error that lists every problem, each with its path. */
export function parseConfig(read: unknown): Config {
  const { success, data, error } = schema.safeParse(read);
  const problems = error?.issues.flatMap(problemsOf) ?? [];
  problems.push(...contradictions(read));
  if (!success || problems.length > 0) throw new Error(`not valid\n${problems.map((line) => `  ${line}`).join('\n')}`);
  return data;
}

function problemsOf({ path, ...issue }: z.core.$ZodIssue): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [`${path.join('.')}: ${issue.message}`];
  return issue.keys.map((key) => `${[...path, key].join('.')}: unknown`);
}

/** What is right by itself and wrong together, of those parts that can be read at all. */
function contradictions(read: unknown): readonly string[] {
  const { data: parts } = z.object({ regions: z.record(z.string(), z.unknown()) }).safeParse(read);
  if (parts === undefined) return [];
  const { primary, crossStackReferences } = read as Partial<Config>;
  const ids = Object.keys(parts.regions);
  const problems: string[] = [];
  if (typeof primary === 'string' && !ids.includes(primary)) problems.push('primary: not one of the regions');
  if (crossStackReferences === 'strong' && ids.length > 1) {
    problems.push('crossStackReferences: strong ones do not reach other regions');
  }
  const hasConsole = (read as Partial<Config>).console !== undefined;
  const places = new Map<string, string>();
  for (const [id, unread] of Object.entries(parts.regions)) {
    const { data } = region.safeParse(unread);
    if (data === undefined) continue;
    problems.push(...regionContradictions(id, data), ...unpriced(id, data, read as Partial<Config>));
    if (hasConsole && data.domain === undefined && data.url === undefined) {
      problems.push(`regions.${id}: a console needs its domain or url`);
    }
    const other = places.get(data.awsRegion);
    if (other !== undefined) problems.push(`regions.${id}.awsRegion: ${other} is there already`);
    places.set(data.awsRegion, id);
  }
  return problems;
}

/** Without any price nothing could be said of costs. */
function unpriced(id: string, { pools, prices: own }: RegionSettings, read: Partial<Config>): readonly string[] {
  if (read.usdPerComputeHour !== undefined || pools.default === undefined) return [];
  const [type] = instanceTypesOf(pools.default);
  const isPriced = Object.hasOwn({ ...read.prices, ...own }, type!);
  return isPriced ? [] : [`usdPerComputeHour: missing, and prices have no ${type} of regions.${id}.pools.default`];
}

function regionContradictions(
  id: string,
  { awsRegion, availabilityZones, domain, url: address, pools }: RegionSettings,
) {
  const at = `regions.${id}`;
  const problems: string[] = [];
  for (const [place, zone] of availabilityZones.entries()) {
    if (zone.slice(0, -1) !== awsRegion) problems.push(`${at}.availabilityZones.${place}: not in ${awsRegion}`);
  }
  if (domain !== undefined && !domain.certificateArn.includes(`:acm:${awsRegion}:`)) {
    problems.push(`${at}.domain.certificateArn: not in ${awsRegion}`);
  }
  if (domain !== undefined && address !== undefined) problems.push(`${at}.url: the domain is its address`);
  if (pools.default === undefined) problems.push(`${at}.pools.default: missing`);
  for (const [name, { bridge }] of Object.entries(pools)) {
    if (bridge === undefined) continue;
    if (bridge === name || pools[bridge] === undefined) problems.push(`${at}.pools.${name}.bridge: no other pool`);
    else if (pools[bridge].minTasks === 0) problems.push(`${at}.pools.${name}.bridge: may be at zero itself`);
  }
  return problems;
}
