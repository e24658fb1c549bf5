import type { Limits } from '../ports/limits.ts';
import type { GcraPolicy } from './gcra.ts';

/**
 * How long leased units may be held before use. Units used late widen a window by this much, so the burst that
 * a leasing caller asks for is smaller by what refills in it (see `leasable`): grants stay within the limit.
 */
const LEASE_MS = 20;
/** Fewer units than this in LEASE_MS are not worth a lease: each is asked for alone and the limit is exact. */
const WORTH_LEASING = 8;

type Held = {
  units: number;
  /** True while one caller fetches a block; the others meanwhile ask for their own units alone, so that no block is wasted. */
  fetching: boolean;
  grantedAtMs: number;
  remaining: number;
  resetMs: number;
  /** Units used in the window that began at `windowStartMs`, and in the one before it. */
  windowStartMs: number;
  usedInWindow: number;
  usedBefore: number;
};

export type Taken = {
  readonly granted: boolean;
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryAfterMs: number;
};

/**
 * Units of a tenant's rate limits, taken from the shared truth in blocks where the tenant is busy on this host.
 * A block is half of what was used in the last LEASE_MS and at most a quarter of what is left, so that it shrinks
 * to 1 as the limit nears and little is left unused elsewhere.
 */
export class Leases {
  readonly #limits: Pick<Limits, 'lease'>;
  readonly #held = new Map<string, Held>();

  constructor(limits: Pick<Limits, 'lease'>) {
    this.#limits = limits;
  }

  /** Takes `units` or nothing. Without a promise if a lease is at hand. */
  take(tenant: string, meter: string, policy: GcraPolicy, units: number, nowMs: number): Taken | Promise<Taken> {
    const perLeaseMs = policy.ratePerMs * LEASE_MS;
    if (perLeaseMs < WORTH_LEASING || policy.burst < 4 * perLeaseMs) {
      return this.#limits.lease(tenant, meter, policy, units, units, nowMs).then(taken);
    }
    const held = this.#find(`${meter}\n${tenant}`, nowMs);
    noteUse(held, units, nowMs);
    if (held.units >= units && nowMs - held.grantedAtMs <= LEASE_MS && nowMs >= held.grantedAtMs) {
      held.units -= units;
      return { granted: true, remaining: held.remaining + held.units, resetMs: held.resetMs, retryAfterMs: 0 };
    }
    return this.#lease(held, tenant, meter, leasable(policy), units, nowMs);
  }

  async #lease(
    held: Held,
    tenant: string,
    meter: string,
    policy: GcraPolicy,
    units: number,
    nowMs: number,
  ): Promise<Taken> {
    const recent = Math.max(held.usedInWindow, held.usedBefore);
    const block = held.fetching || recent < WORTH_LEASING ? 0 : Math.floor(Math.min(recent / 2, held.remaining / 4));
    if (block > 0) held.fetching = true;
    try {
      const lease = await this.#limits.lease(tenant, meter, policy, units, units + block, nowMs);
      held.remaining = lease.remaining;
      held.resetMs = lease.resetMs;
      if (lease.granted > units) {
        held.units = lease.granted - units;
        held.grantedAtMs = nowMs;
      }
      return taken(lease);
    } finally {
      if (block > 0) held.fetching = false;
    }
  }

  #find(key: string, nowMs: number): Held {
    let held = this.#held.get(key);
    if (held === undefined) {
      if (this.#held.size >= 10_000) this.#held.clear();
      held = {
        units: 0,
        fetching: false,
        grantedAtMs: 0,
        remaining: 0,
        resetMs: 0,
        windowStartMs: nowMs,
        usedInWindow: 0,
        usedBefore: 0,
      };
      this.#held.set(key, held);
    }
    return held;
  }
}

/** The policy a leasing caller asks with: its burst leaves room for units that are used up to LEASE_MS late. */
function leasable(policy: GcraPolicy): GcraPolicy {
  return { ratePerMs: policy.ratePerMs, burst: policy.burst - Math.ceil(policy.ratePerMs * LEASE_MS) };
}

function noteUse(held: Held, units: number, nowMs: number): void {
  const ageMs = nowMs - held.windowStartMs;
  if (ageMs >= LEASE_MS || ageMs < 0) {
    held.usedBefore = ageMs < 2 * LEASE_MS ? held.usedInWindow : 0;
    held.usedInWindow = 0;
    held.windowStartMs = nowMs;
  }
  held.usedInWindow += units;
}

function taken(lease: Awaited<ReturnType<Limits['lease']>>): Taken {
  return {
    granted: lease.granted > 0,
    remaining: lease.remaining,
    resetMs: lease.resetMs,
    retryAfterMs: lease.retryAfterMs,
  };
}
