import type { GcraPolicy } from '../tenancy/gcra.ts';

/** What happened to a lease: units granted now (0 = refused), what is left, and when one more would be. */
export type Lease = {
  readonly granted: number;
  readonly remaining: number;
  /** Until a unit would be granted; 0 if one would be now. */
  readonly retryAfterMs: number;
  /** Until the full burst is there again. */
  readonly resetMs: number;
};

export type Reservation = {
  readonly tenant: string;
  /** The job's id: reserving the same id again is harmless. */
  readonly id: string;
  readonly inFlightLimit: number;
  readonly computeMs: number;
  readonly dailyComputeMs: number;
  /** When an unsettled reservation ends, charged in full. */
  readonly expiresAtMs: number;
};

export type ReserveAnswer =
  | { readonly kind: 'granted' }
  | { readonly kind: 'in-flight-full'; readonly retryAfterMs: number }
  | { readonly kind: 'compute-spent'; readonly retryAfterMs: number };

/**
 * The one truth about what tenants have used, strongly consistent within a region. Grants never exceed the limits,
 * whatever the concurrency, and a crash of any caller or of the store's process never gives anything back
 * (what was leased or reserved and not settled counts as used). Every key carries the tenant. `reserve` and `settle` answer
 * without a promise where what is stored covers it already.
 */
export interface Limits {
  /**
   * Takes up to `wanted` units (at least `needed`, or nothing) from a rate limit.
   * `meter` names it within the tenant, such as `requests` or `rows`.
   */
  lease(
    tenant: string,
    meter: string,
    policy: GcraPolicy,
    needed: number,
    wanted: number,
    nowMs: number,
  ): Promise<Lease>;
  /** Takes a place in flight and compute from the UTC day's budget: both or neither. */
  reserve(reservation: Reservation, nowMs: number): ReserveAnswer | Promise<ReserveAnswer>;
  /** Ends a reservation with the compute that was used, once: a second call, or one after expiry, changes nothing. */
  settle(tenant: string, id: string, computeMs: number, nowMs: number): void | Promise<void>;
  /** Used and reserved of today, and places taken. */
  usage(tenant: string, nowMs: number): Promise<{ inFlight: number; computeMs: number; dayStartMs: number }>;
  /** Forgets a tenant. */
  erase(tenant: string): Promise<void>;
}
