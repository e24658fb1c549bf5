import { TenantFlow, type Waiting } from './tenant-flow.ts';

/** What became of an item that was offered: `no-room` for this one, or `full` for every further one too. */
export type Verdict = 'taken' | 'dropped' | 'no-room' | 'full';

/** Whose turn it is, and with what. */
export type Turn<T extends Waiting> = { readonly flow: TenantFlow<T>; readonly bucket: string };

/**
 * Deficit round-robin (Shreedhar and Varghese 1995) over tenants, in milliseconds of compute times weight, with the
 * two lists of FQ-CoDel (RFC 8290): a tenant that comes anew is first for one quantum, so that a quiet tenant waits for
 * the run in progress and not for a round. A tenant is served while its credit is above 0, so it exceeds its share by one
 * run at most, which it then owes. Rounds are counted and a flow's credit is worked out when it is looked at, so
 * that a round costs nothing for those that nobody looks at.
 */
export class LaneQueue<T extends Waiting> {
  readonly #flows = new Map<string, TenantFlow<T>>();
  readonly #fresh = new Set<TenantFlow<T>>();
  readonly #turns = new Set<TenantFlow<T>>();
  /** Who has work of a bucket, and how many pieces there are. */
  readonly #mates = new Map<string, { readonly flows: Set<TenantFlow<T>>; count: number }>();
  #round = 0;
  #size = 0;
  #costMs = 0;

  get size(): number {
    return this.#size;
  }

  /** Expected compute of all that waits. */
  get costMs(): number {
    return this.#costMs;
  }

  /** Pieces of work that may share a run. */
  waitingIn(bucket: string): number {
    return this.#mates.get(bucket)?.count ?? 0;
  }

  isWaiting(tenant: string): boolean {
    return (this.#flows.get(tenant)?.waiting ?? 0) > 0;
  }

  push(item: T): void {
    let flow = this.#flows.get(item.tenant);
    if (flow === undefined) {
      flow = new TenantFlow<T>(item.tenant, item.weight, this.#round);
      this.#flows.set(item.tenant, flow);
      this.#fresh.add(flow);
    }
    this.#size += 1;
    this.#costMs += item.costMs;
    const isFirst = flow.push(item, this.#round);
    const mates = this.#mates.get(item.bucket);
    if (mates === undefined) this.#mates.set(item.bucket, { flows: new Set([flow]), count: 1 });
    else {
      mates.count += 1;
      if (isFirst) mates.flows.add(flow);
    }
  }

  /** The next turn among tenants and buckets that are accepted; undefined if there is no such work. */
  next(accept: (bucket: string) => boolean, eligible: (tenant: string) => boolean): Turn<T> | undefined {
    while (this.#size > 0) {
      let rounds = Number.POSITIVE_INFINITY;
      for (const list of [this.#fresh, this.#turns]) {
        // Those whose turn is over go to the back of the list that is being walked: once round and no further.
        let left = list.size;
        for (const flow of list) {
          left -= 1;
          const bucket = flow.waiting > 0 && eligible(flow.tenant) ? flow.nextBucket(accept) : undefined;
          if (bucket !== undefined) {
            if (flow.hasCredit(this.#round, 0)) return { flow, bucket };
            rounds = Math.min(rounds, flow.roundsToCredit(this.#round));
            this.#toBack(flow);
          }
          if (left === 0) break;
        }
      }
      if (rounds === Number.POSITIVE_INFINITY) return undefined;
      this.#round += rounds;
    }
    return undefined;
  }

  /**
   * Offers the work of one bucket, by credit, `first` before the others, until all was offered or a verdict is `full`.
   * A run is filled with whatever waits: when nobody has credit left, those go into debt first that would have credit first.
   */
  fill(
    bucket: string,
    first: TenantFlow<T> | undefined,
    eligible: (tenant: string) => boolean,
    offer: (item: T) => Verdict,
  ): void {
    const mates = this.#mates.get(bucket);
    if (mates === undefined) return;
    const open = new Set<TenantFlow<T>>(first === undefined ? [] : [first]);
    for (const mate of mates.flows) if (eligible(mate.tenant)) open.add(mate);
    const touched = [...open];
    let ahead = 0;
    while (open.size > 0) {
      let rounds = Number.POSITIVE_INFINITY;
      for (const flow of open) {
        const verdict = this.#offerAll(flow, bucket, ahead, offer);
        if (verdict === 'full') open.clear();
        else if (verdict === 'done') open.delete(flow);
        else rounds = Math.min(rounds, flow.roundsToCredit(this.#round));
      }
      ahead = Math.max(ahead + 1, rounds);
    }
    for (const flow of touched) if (!flow.hasCredit(this.#round, 0)) this.#toBack(flow);
  }

  /** Corrects a started item's cost by what was measured: each taken item exactly once. */
  settle(item: T, measuredMs: number): void {
    this.#flows.get(item.tenant)?.end(item.costMs, measuredMs);
  }

  /** Takes out all work, or that of one tenant, of the buckets for which `match` is true. */
  takeBuckets(match: (bucket: string) => boolean, tenant?: string): T[] {
    const all: T[] = [];
    for (const [bucket, mates] of [...this.#mates]) {
      if (!match(bucket)) continue;
      for (const flow of [...mates.flows]) {
        if (tenant !== undefined && flow.tenant !== tenant) continue;
        for (let item = flow.peek(bucket); item !== undefined; item = flow.peek(bucket)) {
          all.push(item);
          this.#remove(flow, bucket, item);
        }
      }
    }
    return all;
  }

  /** Forgets tenants that had nothing waiting or running at this sweep and the one before: credit and debt. */
  forgetIdle(): void {
    for (const flow of this.#flows.values()) {
      if (flow.isUsed) continue;
      if (flow.idle) {
        this.#flows.delete(flow.tenant);
        this.#fresh.delete(flow);
        this.#turns.delete(flow);
      }
      flow.idle = true;
    }
  }

  #offerAll(
    flow: TenantFlow<T>,
    bucket: string,
    ahead: number,
    offer: (item: T) => Verdict,
  ): 'full' | 'done' | 'no-credit' {
    for (let item = flow.peek(bucket); item !== undefined; item = flow.peek(bucket)) {
      if (!flow.hasCredit(this.#round, ahead)) return 'no-credit';
      const verdict = offer(item);
      if (verdict === 'full') return 'full';
      if (verdict === 'no-room') return 'done';
      if (verdict === 'taken') flow.start(item.costMs);
      this.#remove(flow, bucket, item);
    }
    return 'done';
  }

  #remove(flow: TenantFlow<T>, bucket: string, item: T): void {
    this.#size -= 1;
    this.#costMs = this.#size === 0 ? 0 : this.#costMs - item.costMs;
    const mates = this.#mates.get(bucket)!;
    mates.count -= 1;
    if (flow.drop(bucket)) mates.flows.delete(flow);
    if (mates.count === 0) this.#mates.delete(bucket);
    // A tenant that ran empty keeps its place in the round: coming again at once does not make it new (RFC 8290).
    if (flow.waiting === 0 && this.#fresh.has(flow)) this.#toBack(flow);
  }

  #toBack(flow: TenantFlow<T>): void {
    this.#fresh.delete(flow);
    this.#turns.delete(flow);
    this.#turns.add(flow);
  }
}
