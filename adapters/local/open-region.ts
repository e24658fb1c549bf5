import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { giveUp } from '../../core/inference/dead-letter.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Platform } from '../../core/ports/platform.ts';
import { LocalAnswers } from './answers.ts';
import { LocalArtifacts } from './artifacts.ts';
import { LocalAudits } from './audits.ts';
import type { OnBoundary } from './boundary.ts';
import { LocalBudgets } from './budgets.ts';
import { LocalCapacity } from './capacity.ts';
import { LocalCaptures } from './captures.ts';
import { LocalDataKeys } from './data-keys.ts';
import { migrate, openDatabase } from './database.ts';
import { LocalDeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { LocalDirectory } from './directory.ts';
import { LocalFeedbacks } from './feedbacks.ts';
import { removeUnfinished } from './files.ts';
import { Commits } from './group-commit.ts';
import { LocalIdempotency } from './idempotency.ts';
import { LocalJobQueue } from './job-queue.ts';
import { JobRows } from './job-rows.ts';
import { LocalJobs } from './jobs.ts';
import { LimitRows } from './limit-rows.ts';
import { LocalLimits } from './limits.ts';
import { LiveJobs } from './live-jobs.ts';
import { LocalLogLevels } from './log-levels.ts';
import { MessageRows } from './message-rows.ts';
import { LocalMeters } from './meters.ts';
import { Notices } from './notices.ts';
import { LocalQualityReports } from './quality-reports.ts';
import { LocalQuarantine } from './quarantine.ts';
import { loadRegionKey } from './region-key.ts';
import { RegionState } from './region-state.ts';
import { LocalRegistry } from './registry.ts';
import { LocalReleases } from './releases.ts';
import { DIRECTORY_MIGRATIONS, REGION_MIGRATIONS } from './schema.ts';
import { SealedJobs } from './sealed-jobs.ts';
import { StoredJobs } from './stored-jobs.ts';
import { sweepArtifacts } from './sweep-artifacts.ts';
import { LocalTelemetry } from './telemetry.ts';
import { LocalUploads } from './uploads.ts';
import { LocalValidations } from './validations.ts';
import { LocalWake } from './wake.ts';
import { LocalWatches } from './watches.ts';
import { LocalWebhooks } from './webhooks.ts';

export type RegionOptions = {
  /** Shared by the regions of a machine: this one's files are in a folder of its name in it. */
  readonly dataFolder: string;
  readonly region: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onBoundary?: OnBoundary;
  /** Pools that have workers: jobs of any other go to `default`. Undefined: every pool may have. */
  readonly pools?: readonly string[] | undefined;
};

type RegionPorts = Pick<
  Platform,
  | 'answers'
  | 'registry'
  | 'artifacts'
  | 'uploads'
  | 'limits'
  | 'idempotency'
  | 'jobs'
  | 'queue'
  | 'audits'
  | 'budgets'
  | 'capacity'
  | 'captures'
  | 'dataKeys'
  | 'deadLetters'
  | 'feedbacks'
  | 'logLevels'
  | 'meters'
  | 'qualityReports'
  | 'quarantine'
  | 'releases'
  | 'telemetry'
  | 'validations'
  | 'wake'
  | 'watches'
  | 'webhooks'
>;

export type OpenRegion = RegionPorts & {
  /** Ends every wait, writes down what is in memory and lets the region go. The ports do not work afterwards. */
  close(): Promise<void>;
};

/**
 * One region's storage, held by this process alone: throws `storage-unavailable` while another has it open.
 * What was durable before is there again, after a crash too.
 */
export async function openRegion(options: RegionOptions): Promise<OpenRegion> {
  const { clock, log, onBoundary } = options;
  const folder = join(options.dataFolder, options.region);
  const folders = { region: folder, artifacts: join(folder, 'artifacts'), uploads: join(folder, 'uploads') };
  for (const path of Object.values(folders)) await mkdir(path, { recursive: true, mode: 0o700 });
  const database = openDatabase(join(folder, 'region.db'), 'exclusive');
  try {
    migrate(database, REGION_MIGRATIONS);
    for (const path of [folders.region, folders.artifacts]) await removeUnfinished(path);
    await sweepArtifacts(folders.artifacts, database, log);
    const regionKey = await loadRegionKey(folder, hasDataKeys(database), onBoundary);
    const commits = new Commits(database, onBoundary);
    const dataKeys = new LocalDataKeys(database, commits, regionKey);
    const shared = { database, commits, clock, log, dataKeys };
    const work = composeJobs({ ...shared, pools: options.pools });
    const state = new RegionState(database);
    const crashedBeforeMs = await commits.write(() => state.markOpen(clock.nowMs()));
    const uploads = new LocalUploads({ ...shared, folder: folders.uploads, onBoundary });
    await uploads.removeOrphans();
    const answers = new LocalAnswers(shared);
    const limits = new LocalLimits(commits, new LimitRows(database), crashedBeforeMs);
    return {
      answers,
      registry: new LocalRegistry(shared),
      artifacts: new LocalArtifacts(folders.artifacts, onBoundary),
      uploads,
      limits,
      idempotency: new LocalIdempotency(database, commits),
      jobs: work.jobs,
      queue: work.queue,
      audits: new LocalAudits(shared),
      budgets: new LocalBudgets(shared),
      capacity: new LocalCapacity(),
      captures: new LocalCaptures(shared),
      dataKeys,
      deadLetters: work.deadLetters,
      feedbacks: new LocalFeedbacks(shared),
      logLevels: new LocalLogLevels(shared),
      meters: new LocalMeters(shared),
      qualityReports: new LocalQualityReports(shared),
      quarantine: new LocalQuarantine(database, commits, clock),
      releases: new LocalReleases(shared),
      telemetry: new LocalTelemetry(shared),
      validations: new LocalValidations(shared),
      wake: new LocalWake(),
      watches: new LocalWatches(shared),
      webhooks: new LocalWebhooks(shared),
      async close() {
        if (!database.isOpen) return;
        work.close();
        await answers.close();
        try {
          await limits.close(clock.nowMs());
          await commits.write(() => state.markClosed());
        } finally {
          commits.close();
        }
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Which region is home to whom, for all regions of a machine. */
export function openDirectory(dataFolder: string): LocalDirectory {
  const database = openDatabase(join(dataFolder, 'directory.db'), 'shared');
  migrate(database, DIRECTORY_MIGRATIONS);
  return new LocalDirectory(database);
}

type Shared = { database: DatabaseSync; commits: Commits; clock: Clock; log: Log; dataKeys: LocalDataKeys };
type JobParts = Shared & { readonly pools: readonly string[] | undefined };

function composeJobs({ database, commits, clock, log, dataKeys, pools }: JobParts) {
  const deadlines = new Deadlines(clock);
  const sealed = new SealedJobs(dataKeys);
  const live = new LiveJobs(clock, deadlines);
  const stored = new StoredJobs({
    commits,
    rows: new JobRows(database),
    notices: new Notices(database),
    sealed,
    clock,
  });
  const jobs = new LocalJobs({ stored, live, clock, log });
  const deadLetters = new LocalDeadLetters(database, commits, sealed);
  const queue = new LocalJobQueue({
    commits,
    rows: new MessageRows(database),
    sealed,
    deadlines,
    clock,
    log,
    pools: pools === undefined ? undefined : new Set(pools),
    onUndeliverable: (givenUp) => giveUp({ deadLetters, jobs }, givenUp, clock.nowMs()),
  });
  const close = () => {
    queue.close();
    deadlines.close();
  };
  return { jobs, queue, deadLetters, close };
}

function hasDataKeys(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM data_key LIMIT 1').get() !== undefined;
}
