import { Failure } from '../core/failure.ts';
import { nearBuckets, versionOfBucket } from '../core/inference/batch-plan.ts';
import type { Choice, FairQueue } from '../core/inference/fair-queue.ts';
import { type BatchRoom, gainsByJoining, roomFor, spreadOver, takeInto } from '../core/inference/form-batch.ts';
import type { Attempt } from '../core/inference/rerun.ts';
import { isExpired, type Work } from '../core/inference/work.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Breakers } from './breakers.ts';
import type { Ledger } from './ledger.ts';
import type { Placement, RunnerPool } from './pool.ts';
import type { Revocations } from './revocations.ts';
import type { Slot } from './slot.ts';
import type { StandIns } from './stand-ins.ts';
import type { ServedVersion, VersionShelf } from './version-shelf.ts';

/** Work that shares one run. */
export type Batch = Attempt<Work> & {
  readonly version: ServedVersion;
  /** True once each job's start was counted. */
  readonly begun: boolean;
  /** When it last lost a runner. */
  readonly lostMs?: number;
};

export type DispatchParts = {
  readonly queue: FairQueue<Work>;
  readonly pool: RunnerPool;
  readonly shelf: VersionShelf;
  readonly ledger: Ledger;
  readonly breakers: Breakers;
  readonly revocations: Revocations;
  readonly standIns: StandIns;
};

/** Brings waiting work to idle runners: what failed before first, then by fairness. Nothing here waits or runs. */
export class Dispatcher {
  readonly #ports: Pick<Platform, 'jobs' | 'clock' | 'log'>;
  readonly #parts: DispatchParts;
  readonly #reruns: Batch[] = [];
  readonly #execute: (slot: Slot, batch: Batch) => Promise<void>;
  readonly #onTaken: () => void;

  constructor(
    ports: Pick<Platform, 'jobs' | 'clock' | 'log'>,
    parts: DispatchParts,
    execute: (slot: Slot, batch: Batch) => Promise<void>,
    onTaken: () => void,
  ) {
    this.#ports = ports;
    this.#parts = parts;
    this.#execute = execute;
    this.#onTaken = onTaken;
  }

  get hasReruns(): boolean {
    return this.#reruns.length > 0;
  }

  /** Runs again before anything else. */
  rerun(batches: readonly Batch[]): void {
    this.#reruns.push(...batches);
  }

  /** Starts loads and runs as long as a runner is idle and has something to do. */
  dispatch(): void {
    const { pool } = this.#parts;
    const nowMs = this.#ports.clock.nowMs();
    let goesOn = true;
    while (goesOn && pool.idle > 0) goesOn = this.#startRerun(nowMs) || this.#startNext(nowMs);
  }

  #startRerun(nowMs: number): boolean {
    for (const [at, batch] of this.#reruns.entries()) {
      const placement = this.#parts.pool.place(batch.version, nowMs);
      if (placement.kind === 'wait') continue;
      if (placement.kind === 'load') this.#load(placement.slot, batch.version);
      else {
        this.#reruns.splice(at, 1);
        const works = this.#stillWanted(batch.works, nowMs);
        if (works.length > 0) this.#start(placement.slot, { ...batch, works });
      }
      return true;
    }
    return false;
  }

  #stillWanted(works: readonly Work[], nowMs: number): readonly Work[] {
    const { queue, ledger } = this.#parts;
    const unwanted = works.filter((work) => this.#ports.jobs.hasEnded(work.job) || isExpired(work.job, nowMs));
    if (unwanted.length === 0) return works;
    for (const work of unwanted) queue.settle(work, 0);
    // The first outcome stays where somebody else wrote one.
    void ledger.fail(unwanted, new Failure('prediction-expired'));
    return works.filter((work) => !unwanted.includes(work));
  }

  #startNext(nowMs: number): boolean {
    const { queue, shelf, pool } = this.#parts;
    if (queue.size === 0) return false;
    const placements = new Map<string, Placement>();
    const placeOf = (bucket: string): Placement => {
      const key = versionOfBucket(bucket);
      let placement = placements.get(key);
      if (placement === undefined) {
        placement = pool.place(shelf.held(key), nowMs);
        placements.set(key, placement);
      }
      return placement;
    };
    const choice = queue.next(
      (bucket) => placeOf(bucket).kind !== 'wait',
      // Nothing is loaded, and so nothing evicted, for what nobody waits for.
      (bucket) => shelf.known(versionOfBucket(bucket)) !== undefined && placeOf(bucket).kind === 'ready',
    );
    if (choice === undefined) return false;
    const placement = placeOf(choice.bucket);
    const version = shelf.held(versionOfBucket(choice.bucket));
    if (placement.kind === 'load') this.#load(placement.slot, version);
    else if (placement.kind === 'ready') this.#startRun(placement.slot, version, choice, nowMs);
    return true;
  }

  #startRun(slot: Slot, version: ServedVersion, choice: Choice<Work>, nowMs: number): void {
    const { queue, pool } = this.#parts;
    const cost = version.cost(choice.flow.peek(choice.bucket)!.costKey);
    const waiting = queue.waitingIn(choice.bucket);
    const room = roomFor(version.plan, cost, waiting);
    const ready = pool.readyFor(version);
    const own = { ...room, maxRequests: spreadOver(ready, waiting, room, cost).requests };
    const works = this.#form(choice, own, nowMs);
    // Where another runner is idle it serves them sooner.
    if (works.length > 0 && ready <= 1) works.push(...this.#joinNear(choice, own, version, nowMs));
    if (works.length > 0) this.#start(slot, { version, works, begun: false, kills: 0, wastedMs: 0 });
    if (ready > 1 || pool.idle === 0) return;
    version.pressure.miss(nowMs, spreadOver(2, works.length, room, cost).savedMs);
    const spare = pool.spareFor(version, nowMs);
    if (spare !== undefined) this.#load(spare, version);
  }

  /** Few of one length wait: those of nearly the same come along where that is cheaper than a run of their own. */
  #joinNear(choice: Choice<Work>, formed: BatchRoom, version: ServedVersion, nowMs: number): Work[] {
    const { plan, runMs } = version;
    const { queue } = this.#parts;
    if (runMs === undefined) return [];
    const room = { ...formed, maxRequests: Number.POSITIVE_INFINITY };
    return nearBuckets(plan, choice.bucket).flatMap((bucket) => {
      if (queue.waitingIn(bucket) === 0) return [];
      const joins = (work: Work) =>
        room.rows + work.rows <= version.cost(work.costKey).rowsWithin(plan.maxBatchMs) &&
        gainsByJoining(room, work, queue.waitingIn(bucket), runMs);
      return this.#form({ ...choice, bucket }, room, nowMs, joins);
    });
  }

  /** Takes a run's work out of the queue, as far as it `joins`; what nobody wants any more is ended on the way. */
  #form(choice: Choice<Work>, room: BatchRoom, nowMs: number, joins?: (work: Work) => boolean): Work[] {
    const { queue, ledger } = this.#parts;
    const works: Work[] = [];
    const ended: Work[] = [];
    const expired: Work[] = [];
    queue.fill(choice, (work) => {
      if (this.#ports.jobs.hasEnded(work.job)) ended.push(work);
      else if (isExpired(work.job, nowMs)) expired.push(work);
      else {
        const verdict = joins?.(work) === false ? 'no-room' : takeInto(room, work);
        if (verdict === 'taken') works.push(work);
        return verdict;
      }
      return 'dropped';
    });
    if (ended.length > 0) void ledger.drop(ended);
    if (expired.length > 0) void ledger.fail(expired, new Failure('prediction-expired'));
    this.#onTaken();
    return works;
  }

  #start(slot: Slot, batch: Batch): void {
    this.#parts.pool.take(slot);
    void this.#execute(slot, batch);
  }

  #load(slot: Slot, version: ServedVersion): void {
    void this.#parts.pool.load(slot, version).then((failure) => {
      if (failure !== undefined && !this.#parts.pool.isLoaded(version)) this.#failAll(version, failure);
      this.dispatch();
    });
  }

  /** A version that cannot be loaded fails its own jobs and nobody else's; those of a candidate run on stable. */
  #failAll(version: ServedVersion, failure: Failure): void {
    const { queue, standIns, breakers } = this.#parts;
    const works = queue.takeBuckets((bucket) => versionOfBucket(bucket) === version.key);
    for (let at = this.#reruns.length - 1; at >= 0; at -= 1) {
      if (this.#reruns[at]!.version !== version) continue;
      const [batch] = this.#reruns.splice(at, 1);
      for (const work of batch!.works) queue.settle(work, 0);
      works.push(...batch!.works);
    }
    if (works.length > 0) {
      breakers.notLoaded(
        version,
        works.map((work) => work.delivery),
      );
      void standIns.fail(works, failure);
    }
    this.#onTaken();
  }
}
