import { mkdirSync } from 'node:fs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { giveUp } from '../../core/inference/dead-letter.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Platform } from '../../core/ports/platform.ts';
import type { WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { AwsAnswers } from './answers.ts';
import { ArtifactCache } from './artifact-cache.ts';
import { AwsArtifacts } from './artifacts.ts';
import { AwsAudits } from './audits.ts';
import { Blobs } from './blobs.ts';
import { BucketFiles } from './bucket-files.ts';
import { AwsBudgets } from './budgets.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { AwsCapacity } from './capacity.ts';
import { AwsCaptures } from './captures.ts';
import { dynamoClient, ecsClient, kmsClient, s3Client, sqsClient } from './clients.ts';
import { AwsDataKeys } from './data-keys.ts';
import { AwsDeadLetters } from './dead-letters.ts';
import { AwsDirectory } from './directory.ts';
import { EcsWake } from './ecs-wake.ts';
import { type Endpoints, queueUrls, type RegionEnvironment } from './environment.ts';
import { AwsFeedbacks } from './feedbacks.ts';
import { AwsIdempotency } from './idempotency.ts';
import { JobItems } from './job-items.ts';
import { AwsJobQueue } from './job-queue.ts';
import { AwsJobs } from './jobs.ts';
import { AwsLimits } from './limits.ts';
import { AwsLogLevels } from './log-levels.ts';
import { AwsMeters } from './meters.ts';
import { Payloads } from './payloads.ts';
import { AwsQualityReports } from './quality-reports.ts';
import { AwsQuarantine } from './quarantine.ts';
import { AwsRegistry } from './registry.ts';
import { AwsReleases } from './releases.ts';
import { Table } from './table.ts';
import { AwsTelemetry } from './telemetry.ts';
import { AwsUploads } from './uploads.ts';
import { AwsValidations } from './validations.ts';
import { AwsWaitingPlaces } from './waiting-places.ts';
import { AwsWatches } from './watches.ts';
import { AwsWebhooks } from './webhooks.ts';

export type AwsRegionOptions = {
  readonly environment: RegionEnvironment;
  readonly endpoints: Endpoints;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes metric lines: where CloudWatch reads logs from. */
  readonly write?: ((line: string) => void) | undefined;
  /** A folder on this machine for model files, made if it is not there, and how much of it. */
  readonly cacheFolder: string;
  readonly cacheBytes: number;
  /** How old the depth of a queue may be; default: it is asked each time. */
  readonly depthAgeMs?: number;
  /** How old the reports of a pool that has workers may be; default: they are read each time. */
  readonly capacityAgeMs?: number;
  /** The most of a tenant's requests that may wait long in this process's function; default: as many as its plan grants. */
  readonly mostWaiting?: number | undefined;
};

type RegionPorts = Pick<
  Platform,
  | 'answers'
  | 'artifacts'
  | 'budgets'
  | 'audits'
  | 'capacity'
  | 'captures'
  | 'dataKeys'
  | 'deadLetters'
  | 'directory'
  | 'feedbacks'
  | 'idempotency'
  | 'jobs'
  | 'limits'
  | 'logLevels'
  | 'meters'
  | 'qualityReports'
  | 'quarantine'
  | 'queue'
  | 'registry'
  | 'releases'
  | 'telemetry'
  | 'uploads'
  | 'validations'
  | 'wake'
  | 'watches'
  | 'webhooks'
>;

export type AwsRegion = RegionPorts & {
  readonly waitingPlaces: WaitingPlaces;
  /**
   * Resolves once no call is under way, those that no answer has waited for among them, and polls of the queue that were left
   * have ended: a process that may be frozen, or ends, waits for it.
   */
  settled(): Promise<void>;
};

/** One region's storage in AWS, for one process. Nothing is called before it is asked for something. */
export function openRegion({
  environment,
  endpoints,
  clock,
  log,
  write,
  depthAgeMs,
  capacityAgeMs,
  mostWaiting,
  ...cache
}: AwsRegionOptions): AwsRegion {
  const { tables, buckets, keyId, awsRegion: region } = environment;
  const calls = new CallsUnderWay();
  const dynamo = calls.watch(dynamoClient({ region, endpoint: endpoints.dynamo }));
  const kms = calls.watch(kmsClient({ region, endpoint: endpoints.kms }));
  const s3 = calls.watch(s3Client({ region, endpoint: endpoints.s3 }));
  const sqs = calls.watch(sqsClient({ region, endpoint: endpoints.sqs }));
  const ecs = calls.watch(ecsClient({ region, endpoint: endpoints.ecs }));
  const tableOf = (name: string) => new Table(dynamo, name);
  const control = tableOf(tables.control);
  const jobsTable = tableOf(tables.jobs);
  const limitsTable = tableOf(tables.limits);
  const dataKeys = new AwsDataKeys(tableOf(tables.dataKeys), kms, keyId, clock);
  const blobs = new Blobs(s3, buckets.payloads);
  const payloads = new Payloads(dataKeys, blobs);
  const shared = { clock, log, dataKeys, payloads, blobs };
  const answers = new AwsAnswers({ ...shared, table: jobsTable });
  const { jobs, queue, deadLetters } = openJobs({ ...shared, jobsTable, sqs, environment, depthAgeMs });
  mkdirSync(cache.cacheFolder, { recursive: true, mode: 0o700 });
  return {
    answers,
    artifacts: new AwsArtifacts(
      new BucketFiles(s3, buckets.artifacts),
      new ArtifactCache(cache.cacheFolder, cache.cacheBytes),
    ),
    audits: new AwsAudits(control, clock, log),
    budgets: new AwsBudgets(control, log),
    capacity: new AwsCapacity(control, capacityAgeMs),
    captures: new AwsCaptures({ ...shared, table: jobsTable }),
    dataKeys,
    deadLetters,
    directory: new AwsDirectory(tableOf(tables.directory)),
    feedbacks: new AwsFeedbacks({ ...shared, table: jobsTable }),
    idempotency: new AwsIdempotency(jobsTable),
    jobs,
    limits: new AwsLimits(limitsTable),
    logLevels: new AwsLogLevels(control),
    meters: new AwsMeters({ table: tableOf(tables.telemetry), clock, log }),
    qualityReports: new AwsQualityReports({ table: tableOf(tables.telemetry), clock, log }),
    quarantine: new AwsQuarantine(jobsTable, clock),
    queue,
    registry: new AwsRegistry(control, log),
    releases: new AwsReleases(control, log),
    telemetry: new AwsTelemetry({ table: tableOf(tables.telemetry), clock, log }),
    uploads: new AwsUploads({
      client: s3,
      bucket: buckets.payloads,
      files: new BucketFiles(s3, buckets.payloads),
      clock,
    }),
    validations: new AwsValidations(control, log, clock),
    waitingPlaces: new AwsWaitingPlaces(limitsTable, mostWaiting),
    wake: new EcsWake({ ...environment, client: ecs, table: control, log, write }),
    watches: new AwsWatches(tableOf(tables.telemetry), log),
    webhooks: new AwsWebhooks({ ...shared, table: control }),
    async settled() {
      await Promise.all([answers.close(), queue.settled()]);
      await calls.settled();
    },
  };
}

type JobParts = Omit<ConstructorParameters<typeof AwsJobs>[0], 'items'>;

function openJobs({
  jobsTable,
  sqs,
  environment,
  depthAgeMs,
  ...shared
}: JobParts & {
  readonly jobsTable: Table;
  readonly sqs: SQSClient;
  readonly environment: RegionEnvironment;
  readonly depthAgeMs: number | undefined;
}) {
  const jobs = new AwsJobs({ ...shared, items: new JobItems(jobsTable) });
  const deadLetters = new AwsDeadLetters(jobsTable, shared.payloads);
  const queue = new AwsJobQueue({
    ...shared,
    client: sqs,
    queues: queueUrls(environment),
    depthAgeMs,
    onUndeliverable: (givenUp) => giveUp({ deadLetters, jobs }, givenUp, shared.clock.nowMs()),
  });
  return { jobs, queue, deadLetters };
}
