import { Failure } from '../../core/failure.ts';
import type { Lease } from '../../core/ports/limits.ts';
import { type GcraPolicy, takeUnits } from '../../core/tenancy/gcra.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { Key } from './keys.ts';
import type { Changed, Table } from './table.ts';

/** Lost races after which a lease is given up: each is won by somebody, so this many in a row mean a storm. */
const MOST_TRIES = 20;
/** A millionth of a unit is rounding, as in takeUnits. */
const ROUNDING = 1e-6;

type Units = { readonly needed: number; readonly wanted: number };

/** About 100 bytes each. */
const MOST_SEEN = 10_000;

/**
 * One rate limit: a theoretical arrival time that never goes backwards. While it lies ahead it is moved on by an addition
 * on the condition that the burst holds it, so concurrent callers do not undo each other and none has to read first. Which of
 * the two it takes is guessed by what was seen last: a lease is one write, two where the guess was wrong.
 */
export class RateItem {
  readonly #table: Table;
  /** Times that were seen last, by item. */
  readonly #seen = new Map<string, number>();

  constructor(table: Table) {
    this.#table = table;
  }

  async lease(key: Key, policy: GcraPolicy, { needed, wanted }: Units, nowMs: number): Promise<Lease> {
    const name = `${key.pk}\n${key.sk}`;
    let tatMs = this.#seen.get(name) ?? 0;
    let units = wanted;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { tatMs: nextMs, ...lease } = takeUnits(policy, tatMs, needed, wanted, nowMs);
      if (tries > 0) {
        if (lease.granted === 0) return lease;
        units = lease.granted;
      }
      // Ahead of now, the addition holds as soon as it asks for what there is; from behind, whoever finds it there moves it.
      const starts = tatMs < nowMs && lease.granted > 0;
      const { written, item } = await (starts ? this.#start(key, nextMs, nowMs) : this.#add(key, policy, units, nowMs));
      tatMs = Number(item?.tatMs ?? 0);
      this.#remember(name, tatMs);
      if (written) return starts ? lease : toLease(policy, tatMs, units, nowMs);
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS });
  }

  #add(key: Key, policy: GcraPolicy, units: number, nowMs: number): Promise<Changed> {
    const unitMs = 1 / policy.ratePerMs;
    const latestMs = nowMs + (policy.burst - units + ROUNDING) * unitMs;
    return this.#table.change(key, {
      text: 'SET tatMs = tatMs + :units',
      condition: 'tatMs >= :now AND tatMs <= :latest',
      values: { ':units': units * unitMs, ':now': nowMs, ':latest': latestMs },
    });
  }

  /** From wherever behind now it is by then: the burst is whole, so that callers who come together do not undo each other. */
  #start(key: Key, nextMs: number, nowMs: number): Promise<Changed> {
    return this.#table.change(key, {
      text: 'SET tatMs = :next',
      condition: 'attribute_not_exists(pk) OR tatMs < :now',
      values: { ':next': nextMs, ':now': nowMs },
    });
  }

  #remember(name: string, tatMs: number): void {
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
    this.#seen.set(name, tatMs);
  }
}

function toLease(policy: GcraPolicy, tatMs: number, granted: number, nowMs: number): Lease {
  const usedMs = tatMs - nowMs;
  const remaining = Math.max(0, Math.floor(policy.burst - usedMs * policy.ratePerMs + ROUNDING));
  return { granted, remaining, retryAfterMs: 0, resetMs: usedMs };
}
