import type { FailureCode } from '../failure.ts';
import type { Job, Outcome } from '../inference/job.ts';
import type { ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import type { Telemetry, TelemetryItem } from '../ports/telemetry.ts';
import { CANARY_TENANT } from '../tenancy/canary.ts';
import { SECOND_MS } from '../units.ts';
import { addRows, atLeast0, elementsOf, errorOf, type JobEnd, type ShadowEnd } from './job-end.ts';
import { recordAnswer, recordShadow } from './record-answer.ts';
import { type Feedback, recordFeedback } from './record-feedback.ts';
import { emptyTelemetry } from './telemetry.ts';
import { hashText } from './text-hash.ts';

/** Windows begin at whole multiples of this; what was recorded is written as often, so a process that is killed loses this much. */
export const WINDOW_MS = 5 * SECOND_MS;
/** Of a process that may be frozen: a busy one writes so often, two write units each, ten cents a day. */
const FROZEN_EVERY_MS = SECOND_MS;
const SHARDS = 16;
const MOST_AT_ONCE = 100;
/** Rows of a version whose inputs are profiled in a window, and of one request: 0.3 ms at the most. */
const PROFILED_ROWS = 64;
const PROFILED_ROWS_OF_REQUEST = 16;

export type RecorderLimits = {
  /** Versions that are counted in one window: 256 × 25 KB at the most. 0: nothing is counted, nor told to be dropped. */
  readonly versions: number;
  /** Items that wait for a store that is away: those of four versions for twenty minutes, 25 MB at the most. */
  readonly waiting: number;
};
const LIMITS: RecorderLimits = { versions: 256, waiting: 1000 };

export type RecorderOptions = Partial<RecorderLimits> & {
  /**
   * Is told of each window's reports once, when it is over and before they are written: what this process saw, for who adds it up in memory. It must
   * neither throw nor change them.
   */
  readonly onSealed?: ((items: readonly TelemetryItem[]) => void) | undefined;
};

type Version = Pick<ModelVersion, 'model' | 'version'>;
type Parts = Pick<Platform, 'telemetry' | 'clock' | 'log'>;
/** What is counted of a version at the moment. */
type Open = Version & { telemetry: Telemetry; profiledRows: number };

/** What a process counts with. */
export type Recording = { readonly recorder: Recorder };

/**
 * What one process sees of versions, counted in memory and appended window by window; one per process, another writer after each start.
 *
 * Recording takes half a microsecond, waits for nothing and never throws. What cannot be held (too many versions, a store
 * that is away for long) is dropped, and how many requests that was is logged.
 *
 * A request is counted once, by whoever ended it: a worker the jobs whose outcome it was first to write, a handler the rest.
 * Synthetic checks are nobody's requests: those of the canary tenant are not counted. Of `requests` those from a cache, and those that nothing but a fallback answered, have neither latency, queue time nor rows.
 */
export class Recorder {
  readonly #parts: Parts;
  readonly #limits: RecorderLimits;
  readonly #onSealed: RecorderOptions['onSealed'];
  readonly #writer = crypto.randomUUID();
  readonly #shard = hashText(0, this.#writer) % SHARDS;
  /** By model, then version. */
  #open = new Map<string, Map<string, Open>>();
  #openVersions = 0;
  #latest: Open | undefined;
  #windowStartMs = 0;
  #sequence = 0;
  #waiting: TelemetryItem[] = [];
  #flushing: Promise<void> | undefined;
  #flushedMs = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #dropped = 0;

  constructor(parts: Parts, { onSealed, ...limits }: RecorderOptions = {}) {
    this.#parts = parts;
    this.#limits = { ...LIMITS, ...limits };
    this.#onSealed = onSealed;
  }

  /**
   * A job that ended, by the outcome that was first. It counts for the version that was assigned: where another one had to
   * answer because that crashed, as `runner-crashed`, and rows and compute for the one that answered.
   */
  jobEnded(job: Job, end: JobEnd): void {
    if (job.tenant === CANARY_TENANT || this.#limits.versions === 0) return;
    try {
      this.#count(job, end);
    } catch (error) {
      // A number that cannot be one keeps nobody's answer back.
      this.#parts.log.error('request not counted', error, { job: job.id });
    }
  }

  /** A job that a handler ended, before any worker: refused, expired or cancelled. */
  jobRefused(job: Job, code: FailureCode): void {
    const outcome = { kind: 'failed', code, facts: {}, computeMs: 0, endedAtMs: this.#parts.clock.nowMs() } as const;
    this.jobEnded(job, { outcome });
  }

  /** A shadow copy that its candidate answered, or failed at in a way that says something of it. */
  shadowEnded(job: Job, end: ShadowEnd): void {
    if (job.tenant === CANARY_TENANT) return;
    try {
      this.#countShadow(job, end);
    } catch (error) {
      this.#parts.log.error('shadow not counted', error, { job: job.id });
    }
  }

  /**
   * One row whose true label came in, in the window of now. A lot of a release that is not the one counted at the moment is left out: rows
   * of two releases in turn would make an item each.
   */
  feedback(version: Version, feedback: Feedback): void {
    try {
      const telemetry = this.#telemetryOf(version);
      if (telemetry === undefined) return;
      if (feedback.lot !== undefined) telemetry.release ??= emptyTelemetry(feedback.lot.release).release;
      recordFeedback(telemetry, feedback);
    } catch (error) {
      this.#parts.log.error('feedback not counted', error, { model: version.model, version: version.version });
    }
  }

  /** Of no cohort: what was computed before a release began says nothing of who is better. */
  cacheHit(version: Version, tenant: string): void {
    if (tenant === CANARY_TENANT) return;
    const telemetry = this.#telemetryOf(version);
    if (telemetry === undefined) return;
    telemetry.requests += 1;
    telemetry.cacheHits += 1;
    telemetry.tenants.add(tenant);
  }

  /** A fallback answered in place of a version. `isCounted`: the request already is, as somebody has ended its job. */
  fellBack(version: Version, tenant: string, isCounted: boolean): void {
    if (tenant === CANARY_TENANT) return;
    const telemetry = this.#telemetryOf(version);
    if (telemetry === undefined) return;
    telemetry.fallbacks += 1;
    if (isCounted) return;
    telemetry.requests += 1;
    telemetry.tenants.add(tenant);
  }

  /** A version ran so many rows together. */
  ran(version: Version, rows: number): void {
    this.#telemetryOf(version)?.batchRows.add(rows);
  }

  /** A version killed its runner. */
  crashed(version: Version): void {
    const telemetry = this.#telemetryOf(version);
    if (telemetry !== undefined) telemetry.crashes += 1;
  }

  /** Writes at the end of each window, and once more when the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(WINDOW_MS - (clock.nowMs() % WINDOW_MS) + 1, signal).catch(() => {});
      await this.flush();
    }
  }

  /**
   * For a process that is frozen between requests, to be awaited before it may be: writes unless it has within the last second.
   * So what is seldom called writes with every request, what is called often once a second, and only what was recorded within
   * a second after the last write is lost, if the process is never called again.
   */
  async flushIfDue(): Promise<void> {
    if (this.#parts.clock.nowMs() - this.#flushedMs >= FROZEN_EVERY_MS) await this.flush();
  }

  /** Resolves once all that was recorded before is written, or could not be and waits for the next time. Never throws. */
  async flush(): Promise<void> {
    this.#flushedMs = this.#parts.clock.nowMs();
    this.#seal();
    if (this.#waiting.length > 0) this.#flushing ??= this.#appendAll();
    await this.#flushing;
    this.#tellDropped();
  }

  #count(job: Job, { outcome, labels, profileInputs }: JobEnd): void {
    const { lot } = job;
    const open = this.#openOf(job, lot?.release);
    if (open === undefined) return;
    const assigned = open.telemetry;
    const done = outcome.kind === 'succeeded' ? outcome : undefined;
    const elsewhere = done !== undefined && done.version !== job.version ? done : undefined;
    const latencyMs = atLeast0(outcome.endedAtMs - job.acceptedAtMs);
    recordAnswer(assigned, {
      tenant: job.tenant,
      latencyMs,
      queueMs: done?.queueMs ?? atLeast0(latencyMs - outcome.computeMs),
      computeMs: elsewhere === undefined ? outcome.computeMs : 0,
      rows: done === undefined || elsewhere !== undefined ? 0 : job.rows,
      inputElements: elementsOf(job),
      error: errorOf(outcome, elsewhere !== undefined),
      fellBack: false,
      label: elsewhere === undefined ? labels?.run.labelAt(labels.firstRow) : undefined,
      confidence: elsewhere === undefined ? labels?.run.confidenceAt(labels.firstRow) : undefined,
      lot,
    });
    if (elsewhere !== undefined) this.#computed(job, elsewhere);
    else if (labels !== undefined && job.rows > 1) addRows(assigned, labels, job.rows);
    if (profileInputs === undefined || elsewhere !== undefined || open.profiledRows >= PROFILED_ROWS) return;
    const rows = Math.min(job.rows, PROFILED_ROWS_OF_REQUEST, PROFILED_ROWS - open.profiledRows);
    open.profiledRows += rows;
    profileInputs(job.inputs, job.rows, rows, assigned.inputs);
  }

  #countShadow(job: Job, { outcome, labels, agrees }: ShadowEnd): void {
    const { lot, rows } = job;
    const telemetry = this.#telemetryOf(job, lot?.release);
    if (telemetry === undefined) return;
    recordShadow(telemetry, {
      computeMs: outcome.computeMs,
      rows: outcome.kind === 'succeeded' ? rows : 0,
      inputElements: elementsOf(job),
      error: errorOf(outcome, false),
      label: labels?.run.labelAt(labels.firstRow),
      confidence: labels?.run.confidenceAt(labels.firstRow),
      lot,
      agreed: outcome.kind === 'failed' ? undefined : agrees,
    });
    if (labels !== undefined && rows > 1) addRows(telemetry, labels, rows);
  }

  #computed({ model, rows }: Job, { version, computeMs }: Extract<Outcome, { kind: 'succeeded' }>): void {
    const telemetry = this.#telemetryOf({ model, version });
    if (telemetry === undefined) return;
    telemetry.rows += rows;
    telemetry.computeMs += whole(computeMs);
  }

  /** Undefined: it is counted as dropped, or nothing is counted. */
  #telemetryOf(version: Version, release?: string): Telemetry | undefined {
    return this.#openOf(version, release)?.telemetry;
  }

  #openOf({ model, version }: Version, release?: string): Open | undefined {
    if (this.#limits.versions === 0) return undefined;
    const ageMs = this.#parts.clock.nowMs() - this.#windowStartMs;
    // A clock that was set back begins a window too.
    if (ageMs >= WINDOW_MS || ageMs < 0) this.#seal();
    const latest = this.#latest;
    const isLatest = latest !== undefined && latest.version === version && latest.model === model;
    const open = isLatest ? latest : this.#find(model, version);
    if (open !== undefined && release !== undefined && open.telemetry.release?.release !== release)
      this.#begin(open, release);
    return open;
  }

  #find(model: string, version: string): Open | undefined {
    let versions = this.#open.get(model);
    let open = versions?.get(version);
    if (open === undefined) {
      if (this.#openVersions >= this.#limits.versions) {
        this.#dropped += 1;
        return undefined;
      }
      open = { model, version, telemetry: emptyTelemetry(), profiledRows: 0 };
      versions ??= new Map();
      versions.set(version, open);
      this.#open.set(model, versions);
      this.#openVersions += 1;
    }
    this.#latest = open;
    return open;
  }

  /** A release's cohorts go with what is open, or, if that tells of another release, into an item of their own. */
  #begin(open: Open, release: string): void {
    if (open.telemetry.release === undefined) open.telemetry.release = emptyTelemetry(release).release;
    else {
      this.#wait(open);
      open.telemetry = emptyTelemetry(release);
    }
  }

  #seal(): void {
    for (const versions of this.#open.values()) for (const open of versions.values()) this.#wait(open);
    if (this.#openVersions > 0) this.#open = new Map();
    this.#openVersions = 0;
    this.#latest = undefined;
    this.#windowStartMs = Math.floor(this.#parts.clock.nowMs() / WINDOW_MS) * WINDOW_MS;
  }

  #wait({ model, version, telemetry }: Open): void {
    const [writer, shard, sequence] = [this.#writer, this.#shard, this.#sequence];
    this.#sequence += 1;
    const item = { model, version, windowStartMs: this.#windowStartMs, writer, sequence, shard, telemetry };
    this.#waiting.push(item);
    this.#onSealed?.([item]);
    this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#waiting.length > this.#limits.waiting) this.#dropped += this.#waiting.shift()!.telemetry.requests;
  }

  async #appendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const items = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        await this.#parts.telemetry.append(items);
        this.#isFailing = false;
      } catch (error) {
        // Behind the others: what a store refuses for good keeps nothing else from being written.
        this.#waiting.push(...items);
        this.#makeRoom();
        if (!this.#isFailing)
          this.#parts.log.error('telemetry not written: tried again', error, { items: items.length });
        this.#isFailing = true;
        break;
      }
    }
    this.#flushing = undefined;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#parts.log.warn('telemetry dropped', { requests: this.#dropped });
    this.#dropped = 0;
  }
}

/** Whole 1/1024, as `recordAnswer` sums compute. */
function whole(ms: number): number {
  return Math.round(ms * 1024) / 1024;
}
