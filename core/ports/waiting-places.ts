/** A place that was taken. */
export type WaitingPlace = {
  /** Gives it back, once; nothing changes where it has ended by itself. */
  leave(nowMs: number): Promise<void>;
};

/**
 * Who of a tenant waits for an answer, in all processes of a region: for hosts whose processes serve one request each. No more than the
 * limit wait at once, whatever the concurrency. Every key carries the tenant; `Limits.erase` forgets these too.
 */
export interface WaitingPlaces {
  /** One of the tenant's places, which ends by itself within a second after `untilMs`; undefined if `limit` are taken. */
  take(tenant: string, limit: number, untilMs: number, nowMs: number): Promise<WaitingPlace | undefined>;
}
