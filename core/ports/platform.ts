import type { AnswerStore } from './answer-store.ts';
import type { Artifacts } from './artifacts.ts';
import type { Audits } from './audits.ts';
import type { Budgets } from './budgets.ts';
import type { Capacity } from './capacity.ts';
import type { Captures } from './captures.ts';
import type { Clock } from './clock.ts';
import type { DataKeys } from './data-keys.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Directory } from './directory.ts';
import type { Feedbacks } from './feedbacks.ts';
import type { Forwarder } from './forwarder.ts';
import type { Graphs } from './graphs.ts';
import type { Idempotency } from './idempotency.ts';
import type { Identity } from './identity.ts';
import type { JobQueue } from './job-queue.ts';
import type { Jobs } from './jobs.ts';
import type { Limits } from './limits.ts';
import type { Log } from './log.ts';
import type { LogLevels } from './log-levels.ts';
import type { Meters } from './meters.ts';
import type { QualityReports } from './quality-reports.ts';
import type { Quarantine } from './quarantine.ts';
import type { Registry } from './registry.ts';
import type { Releases } from './releases.ts';
import type { Sandbox } from './sandbox.ts';
import type { Spans } from './spans.ts';
import type { Telemetries } from './telemetry.ts';
import type { Tokenizers } from './tokenizers.ts';
import type { Uploads } from './uploads.ts';
import type { Validations } from './validations.ts';
import type { WaitingPlaces } from './waiting-places.ts';
import type { Wake } from './wake.ts';
import type { Watches } from './watches.ts';
import type { WebhookSender } from './webhook-sender.ts';
import type { Webhooks } from './webhooks.ts';

/** What one deployment of one region is told. */
export type RegionConfig = {
  readonly region: string;
  /** Base URL of every region, this one's too, without a trailing slash. */
  readonly regionUrls: Readonly<Record<string, string>>;
  /** Origins whose browsers may call every tenant; a tenant's own come on top. '*' is any. */
  readonly corsOrigins: readonly string[];
  /** Worker pools that this region has; `default` is one of them. */
  readonly pools: readonly string[];
  /** Of a pool without workers, the one that takes its jobs if that has some; undefined: of none. */
  readonly bridges?: Readonly<Record<string, string>> | undefined;
  /** What an hour of one runner's compute costs, in US dollars: what cost figures are made of. */
  readonly usdPerComputeHour: number;
  /** The share of requests that are not to fail through us; undefined: `DEFAULT_SLO`. */
  readonly slo?: number | undefined;
  /** Where an operator reads what an alarm means; undefined: the repository's. */
  readonly runbookUrl?: string | undefined;
};

/** All ports of one region. A use case takes only those it uses: `Pick<Platform, 'limits' | 'queue'>`. */
export type Platform = {
  readonly config: RegionConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: Directory;
  readonly registry: Registry;
  readonly artifacts: Artifacts;
  readonly uploads: Uploads;
  readonly limits: Limits;
  readonly idempotency: Idempotency;
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly audits: Audits;
  readonly budgets: Budgets;
  readonly capacity: Capacity;
  /** Undefined where one process serves all of the region's requests: it counts who waits itself. */
  readonly waitingPlaces?: WaitingPlaces | undefined;
  readonly wake: Wake;
  readonly dataKeys: DataKeys;
  readonly deadLetters: DeadLetters;
  readonly qualityReports: QualityReports;
  readonly quarantine: Quarantine;
  readonly identity: Identity;
  readonly forwarder: Forwarder;
  readonly answers: AnswerStore;
  readonly captures: Captures;
  readonly feedbacks: Feedbacks;
  readonly graphs: Graphs;
  readonly logLevels: LogLevels;
  readonly meters: Meters;
  readonly releases: Releases;
  readonly sandbox: Sandbox;
  /** Undefined where nothing is traced. */
  readonly spans?: Spans | undefined;
  readonly telemetry: Telemetries;
  readonly tokenizers: Tokenizers;
  readonly validations: Validations;
  readonly watches: Watches;
  readonly webhooks: Webhooks;
  readonly webhookSender: WebhookSender;
};
