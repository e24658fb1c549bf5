import { Failure } from '../../core/failure.ts';
import type { GivenUp } from '../../core/inference/dead-letter.ts';
import type { Job, Lane as LaneName } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Delivery, JobQueue } from '../../core/ports/job-queue.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Deadlines } from './deadlines.ts';
import type { Commits } from './group-commit.ts';
import { Lane, type Message } from './lane.ts';
import type { MessageRow, MessageRows } from './message-rows.ts';
import type { SealedJobs } from './sealed-jobs.ts';
import { asStorageFailure } from './storage-failure.ts';
import { TenantMap } from './tenant-map.ts';

/** As the port says: a message that nobody finishes with is taken out after this many deliveries. */
const MAX_RECEIVES = 50;
const GIVEN_UP = new Failure('internal', { detail: `given up after ${MAX_RECEIVES} deliveries` });

type Parts = {
  commits: Commits;
  rows: MessageRows;
  sealed: SealedJobs;
  deadlines: Deadlines;
  clock: Clock;
  log: Log;
  /** See `RegionOptions`. */
  pools: ReadonlySet<string> | undefined;
  /** Ends the job of a message that cannot be delivered. */
  onUndeliverable: (givenUp: GivenUp) => Promise<void>;
};

/**
 * The queues of one process, which holds the region alone: after a start every message that was not acknowledged waits
 * again. Delivery counts are of this process; attempts, which must outlast it, are counted by `Jobs.begin`.
 * Messages of a pool that has no workers any more wait in `default`; their rows keep the pool, which may come back with the next start.
 * Durable messages wait without their payload, which is read when they are received: a backlog costs no memory to speak of.
 */
export class LocalJobQueue implements JobQueue {
  readonly #parts: Parts;
  readonly #lanes = new Map<string, Readonly<Record<LaneName, Lane>>>();
  /** All that are not acknowledged, by tenant and job id. */
  readonly #messages = new TenantMap<Message>();
  #receipts = 0;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    let strays = 0;
    for (const row of parts.rows.loadOpen()) {
      const message = this.#newMessage(row, undefined);
      if (message.pool !== row.pool) strays += 1;
      this.#put(message);
    }
    if (strays > 0) parts.log.warn('jobs of pools without workers go to the pool default', { jobs: strays });
  }

  send(job: Job): void | Promise<void> {
    const sent = this.#messages.get(job.tenant, job.id) !== undefined;
    if (job.durable) return sent ? this.persist(job) : this.#sendDurable(job);
    if (!sent) this.#put(this.#newMessage(job, job));
  }

  async #sendDurable(job: Job): Promise<void> {
    await this.#store(job, () => true);
    if (this.#messages.get(job.tenant, job.id) === undefined) this.#put(this.#newMessage(job, undefined));
  }

  async persist(job: Job): Promise<void> {
    const message = this.#messages.get(job.tenant, job.id);
    if (message === undefined) return;
    message.stored = true;
    await this.#store(job, () => this.#messages.get(job.tenant, job.id) === message);
    // Whoever receives it from now on gets the durable job.
    message.job = undefined;
  }

  async receive(
    pool: string,
    laneName: LaneName,
    max: number,
    waitMs: number,
    visibilityMs: number,
    signal?: AbortSignal,
  ): Promise<readonly Delivery[]> {
    const lane = this.#lane(pool, laneName);
    const untilMs = this.#parts.clock.nowMs() + waitMs;
    for (;;) {
      const nowMs = this.#parts.clock.nowMs();
      lane.putBackOverdue(nowMs);
      const deliveries = this.#takeUpTo(lane, max, nowMs + visibilityMs);
      if (deliveries.length > 0 || nowMs >= untilMs || signal?.aborted) return deliveries;
      if (this.#isClosed) return [];
      await lane.arrival(untilMs, signal);
    }
  }

  async extend(deliveries: readonly Delivery[], visibilityMs: number): Promise<void> {
    const visibleAtMs = this.#parts.clock.nowMs() + visibilityMs;
    for (const { job, receipt } of deliveries) {
      const lane = this.#lane(job.pool, job.lane);
      const message = lane.inFlight.get(receipt);
      if (message === undefined) continue;
      message.visibleAtMs = visibleAtMs;
      lane.nextVisibleAtMs = Math.min(lane.nextVisibleAtMs, visibleAtMs);
    }
  }

  async acknowledge(deliveries: readonly Delivery[]): Promise<void> {
    const stored: Message[] = [];
    for (const { job, receipt } of deliveries) {
      const message = this.#lane(job.pool, job.lane).callIn(receipt);
      if (message === undefined) continue;
      this.#messages.delete(message.tenant, message.id);
      if (message.stored) stored.push(message);
    }
    if (stored.length > 0) await this.#deleteRows(stored);
  }

  async giveBack(deliveries: readonly Delivery[]): Promise<void> {
    for (const { job, receipt } of deliveries) {
      const lane = this.#lane(job.pool, job.lane);
      const message = lane.callIn(receipt);
      if (message !== undefined) lane.putFirst(message);
    }
  }

  async depth(pool: string, lane: LaneName): Promise<number> {
    return this.#lane(pool, lane).length;
  }

  async oldestMs(pool: string, lane: LaneName): Promise<number> {
    const sinceMs = this.#lane(pool, lane).oldestSinceMs;
    return sinceMs === undefined ? 0 : Math.max(0, this.#parts.clock.nowMs() - sinceMs);
  }

  /** Nothing: what is given up is kept as it is taken out. */
  async collectDead(): Promise<number> {
    return 0;
  }

  async erase(tenant: string): Promise<void> {
    await this.#parts.commits.write(() => this.#parts.rows.erase(tenant));
    for (const lane of [...this.#lanes.values()].flatMap((lanes) => Object.values(lanes))) {
      const gone = lane.takeAll(tenant);
      for (const message of lane.inFlight.values()) if (message.tenant === tenant) gone.push(message);
      for (const message of gone) {
        if (message.receipt !== undefined) lane.callIn(message.receipt);
        this.#messages.delete(message.tenant, message.id);
      }
    }
  }

  /** Ends every wait; nothing is handed out any more. */
  close(): void {
    this.#isClosed = true;
  }

  #lane(pool: string, name: LaneName): Lane {
    let lanes = this.#lanes.get(pool);
    if (lanes === undefined) {
      const { deadlines } = this.#parts;
      lanes = { interactive: new Lane(deadlines), bulk: new Lane(deadlines) };
      this.#lanes.set(pool, lanes);
    }
    return lanes[name];
  }

  #put(message: Message): void {
    this.#messages.set(message.tenant, message.id, message);
    this.#lane(message.pool, message.lane).put(message);
  }

  async #store(job: Job, isWanted: () => boolean): Promise<void> {
    const { commits, rows, sealed } = this.#parts;
    const key = await sealed.keyOf(job.tenant);
    await commits.write(() => {
      if (isWanted()) rows.insert(job, () => sealed.sealJob(key, job));
    });
  }

  #takeUpTo(lane: Lane, max: number, visibleAtMs: number): Delivery[] {
    const deliveries: Delivery[] = [];
    while (deliveries.length < max) {
      const message = lane.take();
      if (message === undefined) break;
      this.#receipts += 1;
      const receipt = String(this.#receipts);
      lane.handOut(message, receipt, visibleAtMs);
      const job = message.receiveCount > MAX_RECEIVES ? GIVEN_UP : (message.job ?? this.#load(message));
      if (job === 'ended' || job instanceof Failure) void this.#takeOut(lane, receipt, job);
      else if (job !== 'unread') deliveries.push({ job, receipt, receiveCount: message.receiveCount });
    }
    return deliveries;
  }

  /** `unread` if the disk refuses: the message then comes again after its visibility. */
  #load({ tenant, id, pool }: Message): Job | 'ended' | 'unread' | Failure {
    try {
      const sealed = this.#parts.rows.payload(tenant, id);
      return sealed === undefined ? 'ended' : { ...this.#parts.sealed.openJob(tenant, id, sealed), pool };
    } catch (error) {
      const failure = asStorageFailure(error);
      if (failure instanceof Failure && failure.code !== 'storage-unavailable') return failure;
      this.#parts.log.error('a message cannot be read now', error, { tenant, job: id });
      return 'unread';
    }
  }

  /** Removes a message that is not delivered, its job ended before; if the disk refuses, it comes again after its visibility. */
  async #takeOut(lane: Lane, receipt: string, reason: 'ended' | Failure): Promise<void> {
    const message = lane.inFlight.get(receipt)!;
    const { tenant, id } = message;
    try {
      if (reason !== 'ended') await this.#parts.onUndeliverable(this.#givenUp(message, reason));
      await this.#deleteRows([message]);
      if (lane.callIn(receipt) !== undefined) this.#messages.delete(message.tenant, message.id);
    } catch (error) {
      this.#parts.log.error('a message could not be taken out of its queue', error, { tenant, job: id });
    }
  }

  #givenUp(message: Message, failure: Failure): GivenUp {
    const { tenant, id, pool, lane, receiveCount } = message;
    const found = message.job ?? this.#load(message);
    const job = typeof found === 'string' || found instanceof Failure ? undefined : found;
    return { tenant, id, pool, lane, job, failure, attempts: receiveCount };
  }

  async #deleteRows(messages: readonly Message[]): Promise<void> {
    await this.#parts.commits.write(() => {
      for (const { tenant, id } of messages) this.#parts.rows.delete(tenant, id);
    });
  }

  #newMessage(source: MessageRow, job: Job | undefined): Message {
    const { tenant, id, lane } = source;
    const pool = this.#parts.pools?.has(source.pool) === false ? 'default' : source.pool;
    return {
      tenant,
      id,
      pool,
      lane,
      job,
      stored: job === undefined,
      receiveCount: 0,
      receipt: undefined,
      visibleAtMs: 0,
      sinceMs: source.acceptedAtMs ?? this.#parts.clock.nowMs(),
    };
  }
}
