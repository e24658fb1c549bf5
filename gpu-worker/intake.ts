import { asFailure, Failure } from '../core/failure.ts';
import { LANES, type Lane } from '../core/inference/job.ts';
import { isExpired, type Work } from '../core/inference/work.ts';
import type { Delivery } from '../core/ports/job-queue.ts';
import type { Platform } from '../core/ports/platform.ts';
import { SECOND_MS } from '../core/units.ts';
import type { DispatchParts } from './dispatcher.ts';
import { VISIBILITY_MS } from './ledger.ts';
import type { ServedVersion } from './version-shelf.ts';
import { workFor } from './work-for.ts';

/** A parked receive comes back after this, so that a queue whose host went away is noticed. */
const RECEIVE_WAIT_MS = 20 * SECOND_MS;
const RETRY_AFTER_MS = SECOND_MS;
/** Two seconds of work for all runners: three quarters interactive, so that bulk work never keeps it out. */
const PREFETCH_MS: Readonly<Record<Lane, number>> = { interactive: 1500, bulk: 500 };
/** Deliveries of one receive: enough for 20,000 a second at 100 turns of the event loop a second. */
const MOST_AT_ONCE = 256;
/** Deliveries held in all, run or not: bounds memory while versions are being brought here. */
const MOST_HELD = 10_000;

/**
 * A queue gives up what it has handed out fifty times. Work that finds no room goes back at once nine times, as another worker may have some, and
 * rests then, each time for a third as long as it has waited: of 41 more times the last is after its last deadline, a day.
 */
const RESTS_AFTER = 10;
const REST_SHARE = 1 / 3;

/** Of a MiB each, at the most. */
const MOST_SHADOWS = 64;
/** Workers that hand a copy back, as they have not loaded its version, before it is given up. */
const MOST_SHADOW_RECEIVES = 4;
const SWEEP_MS = 2 * SECOND_MS;

export type IntakeConfig = { readonly pool: string; readonly runners: number };
type IntakePorts = Pick<Platform, 'queue' | 'clock' | 'log'>;

/** Takes jobs from both lanes, at most two seconds of measured work ahead, and hands them to the fair queue. */
export class Intake {
  readonly #ports: IntakePorts;
  readonly #parts: DispatchParts;
  readonly #config: IntakeConfig;
  readonly #dispatch: () => void;
  readonly #stopped = new AbortController();
  #lanes: Promise<void>[] = [];
  #roomMade: (() => void)[] = [];
  #sweeping: Promise<void> | undefined;
  /** Lanes that gave a delivery back: asking again before work was taken would hand out the same one over and over. */
  readonly #full = new Set<Lane>();
  /** Mean expected cost of a delivery, of the latest ten or so; before the first one careful. */
  #meanCostMs = 50;

  constructor(ports: IntakePorts, parts: DispatchParts, config: IntakeConfig, dispatch: () => void) {
    this.#ports = ports;
    this.#parts = parts;
    this.#config = config;
    this.#dispatch = dispatch;
  }

  start(): void {
    this.#lanes = LANES.map((lane) => this.#receiveLane(lane));
  }

  /** Ends when no receive is in progress any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.onTaken();
    await Promise.all(this.#lanes);
  }

  /** Work left the queue: there may be room again. */
  onTaken(): void {
    this.#full.clear();
    if (this.#roomMade.length === 0) return;
    const waiting = this.#roomMade;
    this.#roomMade = [];
    for (const resume of waiting) resume();
  }

  async #receiveLane(lane: Lane): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#receiveOnce(lane);
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#ports.log.error('queue not readable', error, { lane });
        await this.#ports.clock.sleep(RETRY_AFTER_MS, this.#stopped.signal).catch(() => {});
      }
    }
  }

  async #receiveOnce(lane: Lane): Promise<void> {
    const room = this.#room(lane);
    if (room === 0) {
      await new Promise<void>((resolve) => this.#roomMade.push(resolve));
      return;
    }
    const first = await this.#receive(lane, room, RECEIVE_WAIT_MS);
    this.#takeIn(first);
    if (first.length === 0) return;
    // What arrived in the same turn of the event loop shares the first run, for the price of that turn and no timer.
    await new Promise((resolve) => setImmediate(resolve));
    const more = this.#stopped.signal.aborted ? 0 : this.#room(lane);
    if (more > 0) this.#takeIn(await this.#receive(lane, more, 0));
    this.#dispatch();
  }

  #receive(lane: Lane, max: number, waitMs: number): Promise<readonly Delivery[]> {
    return this.#ports.queue.receive(this.#config.pool, lane, max, waitMs, VISIBILITY_MS, this.#stopped.signal);
  }

  #takeIn(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return;
    const { ledger, shelf, revocations } = this.#parts;
    ledger.hold(deliveries);
    const nowMs = this.#ports.clock.nowMs();
    const tooMuch: Delivery[] = [];
    for (const delivery of deliveries) {
      const { job } = delivery;
      const served = shelf.known(`${job.model}@${job.version}`);
      if (job.shadow !== undefined && !this.#takesShadow(served, delivery, nowMs)) continue;
      if (served === undefined || revocations.isRevoked(job, nowMs) !== false) void this.#bring(delivery);
      else if (!this.#enqueue(served, delivery, nowMs)) tooMuch.push(delivery);
    }
    if (tooMuch.length > 0) void this.#giveBack(tooMuch);
  }

  async #giveBack(deliveries: readonly Delivery[]): Promise<void> {
    const { ledger } = this.#parts;
    const nowMs = this.#ports.clock.nowMs();
    const resting = Map.groupBy(deliveries, (delivery) => restMsOf(delivery, nowMs));
    try {
      await Promise.all(
        [...resting].map(([restMs, some]) => (restMs === 0 ? ledger.giveBack(some) : ledger.rest(some, restMs))),
      );
    } catch (error) {
      this.#ports.log.error('deliveries not given back', error, { deliveries: deliveries.length });
    }
  }

  /** The first work of a version waits for its record and file, that of a version which may be revoked for what became of it. */
  async #bring(first: Delivery): Promise<void> {
    const { ledger, shelf, revocations, standIns } = this.#parts;
    let delivery = first;
    try {
      if (await revocations.isRevoked(first.job, this.#ports.clock.nowMs()))
        delivery = ledger.replace(first, await revocations.replace(first.job));
      const { model, version } = delivery.job;
      const served = shelf.known(`${model}@${version}`) ?? (await shelf.bring(model, version));
      if (!this.#enqueue(served, delivery, this.#ports.clock.nowMs())) await this.#giveBack([delivery]);
      this.#dispatch();
    } catch (error) {
      const { job } = delivery;
      const failure = asFailure(error);
      this.#ports.log.error('version not available', error, { version: `${job.model}@${job.version}` });
      const told = failure.code === 'internal' ? new Failure('model-load-failed', {}, { cause: error }) : failure;
      await standIns.fail([{ job, delivery }], told);
    }
  }

  /** False if it would be more than two seconds of work, which cannot be known before it was received. */
  #enqueue(served: ServedVersion, delivery: Delivery, nowMs: number): boolean {
    const { queue, breakers } = this.#parts;
    served.lastUsedMs = nowMs;
    const failure = breakers.refusalOf(served, delivery, nowMs) ?? this.#loadFailureOf(served, delivery, nowMs);
    if (failure !== undefined) {
      void this.#parts.standIns.fail([{ job: delivery.job, delivery }], failure);
      return true;
    }
    const work = workFor(served, delivery);
    if (work.lane === 'shadow') {
      this.#pushShadow(work);
      return true;
    }
    this.#meanCostMs += (work.costMs - this.#meanCostMs) / 10;
    // Whoever has nothing waiting here is let in all the same: a flood that fills this worker keeps nobody else out.
    const isNew = !queue.isWaiting(work.lane, work.tenant);
    if (!isNew && queue.costMs(work.lane) + work.costMs > PREFETCH_MS[work.lane] * this.#config.runners) {
      this.#full.add(work.lane);
      return false;
    }
    queue.push(work);
    return true;
  }

  /** Copies run where the candidate is loaded, which another worker may have, and if it reads the same tokens. */
  #takesShadow(served: ServedVersion | undefined, delivery: Delivery, nowMs: number): boolean {
    const { ledger, pool } = this.#parts;
    const { job, receiveCount } = delivery;
    const readsOthers = served !== undefined && served.record.tokenizerDigest !== job.shadow?.tokenizer;
    if (served !== undefined && !readsOthers && pool.isLoaded(served)) return true;
    const isOver = readsOthers || receiveCount >= MOST_SHADOW_RECEIVES || isExpired(job, nowMs);
    void (isOver ? ledger.dropShadows([delivery]) : this.#giveBack([delivery]));
    return false;
  }

  /** Where too many wait, the older ones go. */
  #pushShadow(work: Work): void {
    const { queue, ledger } = this.#parts;
    if (queue.shadows >= MOST_SHADOWS) void ledger.dropShadows(queue.takeShadows().map(({ delivery }) => delivery));
    queue.push(work);
    this.#sweeping ??= this.#sweepShadows();
  }

  /** While copies wait: where the candidate was unloaded meanwhile nothing would ever take them, and this worker would seem at work. */
  async #sweepShadows(): Promise<void> {
    const { queue, ledger } = this.#parts;
    const { clock } = this.#ports;
    while (queue.shadows > 0 && !this.#stopped.signal.aborted) {
      await clock.sleep(SWEEP_MS, this.#stopped.signal).catch(() => {});
      const [late, others] = partition(queue.takeShadows(), ({ job }) => isExpired(job, clock.nowMs()));
      for (const work of others) queue.push(work);
      await ledger.dropShadows(late.map(({ delivery }) => delivery));
    }
    this.#sweeping = undefined;
  }

  #loadFailureOf(served: ServedVersion, delivery: Delivery, nowMs: number): Failure | undefined {
    const failure = this.#parts.pool.failureOf(served.key, nowMs);
    if (failure !== undefined) this.#parts.breakers.notLoaded(served, [delivery]);
    return failure;
  }

  /** Deliveries that may still be taken ahead; 0 while there is enough. */
  #room(lane: Lane): number {
    const { queue, ledger } = this.#parts;
    const roomMs = PREFETCH_MS[lane] * this.#config.runners - queue.costMs(lane);
    if (roomMs <= 0 || ledger.held >= MOST_HELD || this.#full.has(lane)) return 0;
    return Math.min(Math.ceil(roomMs / this.#meanCostMs), MOST_AT_ONCE, MOST_HELD - ledger.held);
  }
}

/** Whole seconds, as queues count them; until its deadline at the most, when it is to be told that this is over. */
function restMsOf({ job, receiveCount }: Delivery, nowMs: number): number {
  if (receiveCount < RESTS_AFTER) return 0;
  const restMs = Math.min((nowMs - job.acceptedAtMs) * REST_SHARE, job.deadlineMs - nowMs);
  return Math.max(1, Math.ceil(restMs / SECOND_MS)) * SECOND_MS;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []];
  for (const item of items) parts[isFirst(item) ? 0 : 1].push(item);
  return parts;
}
