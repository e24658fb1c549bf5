import type { Lease } from '../../core/ports/limits.ts';
import { type GcraPolicy, takeUnits } from '../../core/tenancy/gcra.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { StoredBound } from './stored-bound.ts';

/**
 * What may be granted beyond what is on the disk, in milliseconds of refill: half the burst, so that a tenant who asks
 * now and then never waits for the disk, and a second at the most, as it is what a crash costs each tenant.
 */
export function slackMs(policy: GcraPolicy): number {
  return Math.min(policy.burst / policy.ratePerMs / 2, SECOND_MS);
}

/**
 * One rate limit. Memory holds the truth; no crash gives back what was granted, because that is never beyond the bound
 * on the disk or beyond now plus the slack, and a start after a crash takes both as used.
 */
export class RateMeter {
  readonly #bound: StoredBound;
  #tatMs: number;

  /** `tatMs`: all that may have been granted before. */
  constructor(tatMs: number, bound: StoredBound) {
    this.#tatMs = tatMs;
    this.#bound = bound;
  }

  get tatMs(): number {
    return this.#tatMs;
  }

  async lease(policy: GcraPolicy, needed: number, wanted: number, nowMs: number): Promise<Lease> {
    const { tatMs, ...lease } = takeUnits(policy, this.#tatMs, needed, wanted, nowMs);
    this.#tatMs = tatMs;
    if (lease.granted > 0) {
      const slack = slackMs(policy);
      if (tatMs > nowMs + slack && tatMs > this.#bound.stored) await this.#bound.cover(tatMs, slack);
      else if (tatMs > nowMs + slack / 2) this.#bound.prepare(tatMs, slack);
    }
    return lease;
  }
}
