import { Failure } from '../../core/failure.ts';
import type { Lease } from '../../core/ports/limits.ts';
import { type GcraPolicy, takeUnits } from '../../core/tenancy/gcra.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { Key } from './keys.ts';
import type { Item, Table } from './table.ts';

/** Lost races after which a lease is given up: each is won by somebody, so this many in a row mean a storm. */
const MOST_TRIES = 20;
/** A millionth of a unit is rounding, as in takeUnits. */
const ROUNDING = 1e-6;

type Units = { readonly needed: number; readonly wanted: number };

/**
 * One rate limit: a theoretical arrival time that never goes backwards. While it lies ahead it is moved on by an addition
 * on the condition that the burst holds it, so concurrent callers do not undo each other and none has to read first.
 */
export class RateItem {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async lease(key: Key, policy: GcraPolicy, { needed, wanted }: Units, nowMs: number): Promise<Lease> {
    let units = wanted;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const taken = await this.#add(key, policy, units, nowMs);
      if (taken.written) return toLease(policy, Number(taken.item.tatMs), units, nowMs);
      const tatMs = Number(taken.item?.tatMs ?? 0);
      const { tatMs: nextMs, ...lease } = takeUnits(policy, tatMs, needed, wanted, nowMs);
      if (lease.granted === 0) return lease;
      // Ahead of now, the addition holds as soon as it asks for what there is; from behind, whoever finds it there moves it.
      if (tatMs < nowMs && (await this.#start(key, nextMs, nowMs))) return lease;
      units = lease.granted;
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS });
  }

  async #add(
    key: Key,
    policy: GcraPolicy,
    units: number,
    nowMs: number,
  ): Promise<{ written: true; item: Item } | { written: false; item: Item | undefined }> {
    const unitMs = 1 / policy.ratePerMs;
    const latestMs = nowMs + (policy.burst - units + ROUNDING) * unitMs;
    return this.#table.change(key, {
      text: 'SET tatMs = tatMs + :units',
      condition: 'tatMs >= :now AND tatMs <= :latest',
      values: { ':units': units * unitMs, ':now': nowMs, ':latest': latestMs },
    });
  }

  /** From wherever behind now it is by then: the burst is whole, so that callers who come together do not undo each other. */
  async #start(key: Key, nextMs: number, nowMs: number): Promise<boolean> {
    const { written } = await this.#table.change(key, {
      text: 'SET tatMs = :next',
      condition: 'attribute_not_exists(pk) OR tatMs < :now',
      values: { ':next': nextMs, ':now': nowMs },
    });
    return written;
  }
}

function toLease(policy: GcraPolicy, tatMs: number, granted: number, nowMs: number): Lease {
  const usedMs = tatMs - nowMs;
  const remaining = Math.max(0, Math.floor(policy.burst - usedMs * policy.ratePerMs + ROUNDING));
  return { granted, remaining, retryAfterMs: 0, resetMs: usedMs };
}
