import type { Lane } from './job.ts';
import { LaneQueue, type Turn, type Verdict } from './lane-queue.ts';
import type { Waiting } from './tenant-flow.ts';

/**
 * What bulk work gets while interactive work waits too: a tenth of the compute, that is one millisecond for each nine.
 * Enough to end, too little to be felt: a batch (15 ms) of bulk comes at most every 150 ms.
 */
const BULK_PER_INTERACTIVE = 1 / 9;
/** Saved up while bulk work cannot run (its model is loading): two batches of 15 ms. */
const MOST_BULK_CREDIT_MS = 30;

/** Shadow: copies that nobody waits for. */
export type WorkLane = Lane | 'shadow';
export type LaneWork = Waiting & { readonly lane: WorkLane };
export type Choice<T extends LaneWork> = Turn<T> & { readonly lane: WorkLane; readonly owed: boolean };

/**
 * Two lanes of fairly ordered work. Interactive work goes first, bulk work fills what room it leaves and is owed a tenth
 * of the compute while both wait; a tenant's bulk work never stands before its own interactive work. Shadow work runs alone, and only where neither
 * lane has anything that could run.
 * Promises for each lane: no tenant exceeds its weighted share of a busy interval by more than one run; work of one
 * tenant, lane and bucket is first in first out; as long as accepted work waits, `next` finds some.
 */
export class FairQueue<T extends LaneWork> {
  readonly #lanes: Readonly<Record<WorkLane, LaneQueue<T>>> = {
    interactive: new LaneQueue(),
    bulk: new LaneQueue(),
    shadow: new LaneQueue(),
  };
  #bulkCreditMs = 0;

  get size(): number {
    return this.#lanes.interactive.size + this.#lanes.bulk.size + this.#lanes.shadow.size;
  }

  get shadows(): number {
    return this.#lanes.shadow.size;
  }

  /** Pieces of work, of both lanes, that may share a run; of shadow work where there is no other. */
  waitingIn(bucket: string): number {
    const waiting = this.#lanes.interactive.waitingIn(bucket) + this.#lanes.bulk.waitingIn(bucket);
    return waiting > 0 ? waiting : this.#lanes.shadow.waitingIn(bucket);
  }

  /** Expected compute of what waits in a lane. */
  costMs(lane: WorkLane): number {
    return this.#lanes[lane].costMs;
  }

  isWaiting(lane: WorkLane, tenant: string): boolean {
    return this.#lanes[lane].isWaiting(tenant);
  }

  push(item: T): void {
    if (item.lane === 'bulk' && this.#lanes.bulk.size === 0) this.#bulkCreditMs = 0;
    this.#lanes[item.lane].push(item);
  }

  /** Whose turn it is among the buckets that `accept`, for shadow work `acceptShadow`, lets pass; nothing is taken yet. */
  next(accept: (bucket: string) => boolean, acceptShadow: (bucket: string) => boolean = accept): Choice<T> | undefined {
    const { interactive, bulk } = this.#lanes;
    const owed = this.#bulkCreditMs > 0 ? bulk.next(accept, this.#yielding) : undefined;
    if (owed !== undefined) return { ...owed, lane: 'bulk', owed: interactive.size > 0 };
    const first = interactive.next(accept, anyone);
    if (first !== undefined) return { ...first, lane: 'interactive', owed: false };
    const spare = bulk.next(accept, this.#yielding);
    if (spare !== undefined) return { ...spare, lane: 'bulk', owed: false };
    const shadow = this.#lanes.shadow.next(acceptShadow, anyone);
    return shadow === undefined ? undefined : { ...shadow, lane: 'shadow', owed: false };
  }

  /**
   * Offers the work that may share a run with the choice, by fairness, until a verdict is `full`. Taken items must be
   * settled with what they cost; dropped ones are gone.
   */
  fill(choice: Choice<T>, offer: (item: T) => Verdict): void {
    const { interactive, bulk, shadow } = this.#lanes;
    if (choice.lane === 'shadow') {
      shadow.fill(choice.bucket, choice.flow, anyone, offer);
      return;
    }
    let full = false;
    let bulkMs = 0;
    const account = (item: T): Verdict => {
      const verdict = full ? 'full' : offer(item);
      full = verdict === 'full';
      if (verdict !== 'taken') return verdict;
      if (item.lane === 'bulk') bulkMs += item.costMs;
      else if (bulk.size > 0) this.#earn(item.costMs);
      return verdict;
    };
    if (choice.lane === 'bulk') bulk.fill(choice.bucket, choice.flow, this.#yielding, account);
    if (choice.owed) this.#bulkCreditMs -= bulkMs;
    if (!full)
      interactive.fill(choice.bucket, choice.lane === 'interactive' ? choice.flow : undefined, anyone, account);
    if (!full && choice.lane === 'interactive') bulk.fill(choice.bucket, undefined, this.#yielding, account);
  }

  settle(item: T, measuredMs: number): void {
    this.#lanes[item.lane].settle(item, measuredMs);
  }

  /** Takes out all work, or that of one tenant, of the buckets for which `match` is true, neither settled nor dropped. */
  takeBuckets(match: (bucket: string) => boolean, tenant?: string): T[] {
    return Object.values(this.#lanes).flatMap((lane) => lane.takeBuckets(match, tenant));
  }

  /** Takes out all shadow work. */
  takeShadows(): T[] {
    return this.#lanes.shadow.takeBuckets(() => true);
  }

  /** Called about once a second. */
  forgetIdle(): void {
    for (const lane of Object.values(this.#lanes)) lane.forgetIdle();
  }

  readonly #yielding = (tenant: string): boolean => !this.#lanes.interactive.isWaiting(tenant);

  #earn(interactiveMs: number): void {
    this.#bulkCreditMs = Math.min(this.#bulkCreditMs + interactiveMs * BULK_PER_INTERACTIVE, MOST_BULK_CREDIT_MS);
  }
}

function anyone(): boolean {
  return true;
}
