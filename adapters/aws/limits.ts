import type { Lease, Limits, Reservation, ReserveAnswer } from '../../core/ports/limits.ts';
import type { GcraPolicy } from '../../core/tenancy/gcra.ts';
import { ComputeItem } from './compute-item.ts';
import { computeKey, limitsPartition, rateKey, reservationKey } from './keys.ts';
import { RateItem } from './rate-item.ts';
import type { Table } from './table.ts';

/**
 * Quotas as items that change on a condition: a lease is one write, a reservation two, three once a second, settling it two.
 * Nothing is read before it is written unless the write is refused.
 */
export class AwsLimits implements Limits {
  readonly #table: Table;
  readonly #rates: RateItem;
  readonly #compute: ComputeItem;

  constructor(table: Table) {
    this.#table = table;
    this.#rates = new RateItem(table);
    this.#compute = new ComputeItem(table);
  }

  lease(
    tenant: string,
    meter: string,
    policy: GcraPolicy,
    needed: number,
    wanted: number,
    nowMs: number,
  ): Promise<Lease> {
    return this.#rates.lease(rateKey(tenant, meter), policy, { needed, wanted }, nowMs);
  }

  /**
   * The tenant's counters first, then a record by which it is settled once: a crash between the two leaves a place that
   * ends by itself, charged in full.
   */
  async reserve(reservation: Reservation, nowMs: number): Promise<ReserveAnswer> {
    const { tenant, id, computeMs } = reservation;
    const key = computeKey(tenant);
    const answer = await this.#compute.reserve(key, reservation, nowMs);
    if (answer.kind !== 'granted') {
      const known = await this.#table.get(reservationKey(tenant, id));
      return known === undefined ? answer : { kind: 'granted' };
    }
    const { place } = answer;
    const record = { ...reservationKey(tenant, id), computeMs, ...place, ttl: place.bucketS };
    const { written } = await this.#table.put(record, { text: 'attribute_not_exists(pk)' });
    // The same id was reserved before: that place counts, this one is given back.
    if (!written) await this.#compute.settle(key, { ...place, computeMs }, 0, nowMs);
    return { kind: 'granted' };
  }

  async settle(tenant: string, id: string, computeMs: number, nowMs: number): Promise<void> {
    const record = await this.#table.take(reservationKey(tenant, id));
    if (record === undefined) return;
    const place = { dayStartMs: Number(record.dayStartMs), bucketS: Number(record.bucketS) };
    await this.#compute.settle(computeKey(tenant), { ...place, computeMs: Number(record.computeMs) }, computeMs, nowMs);
  }

  usage(tenant: string, nowMs: number): Promise<{ inFlight: number; computeMs: number; dayStartMs: number }> {
    return this.#compute.usage(computeKey(tenant), nowMs);
  }

  erase(tenant: string): Promise<void> {
    return this.#table.deleteAll(limitsPartition(tenant));
  }
}
