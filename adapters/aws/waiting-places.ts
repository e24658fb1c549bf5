import type { WaitingPlace, WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { ComputeItem } from './compute-item.ts';
import { waitingKey } from './keys.ts';
import type { Table } from './table.ts';

/** Places that end by themselves, as those in flight do, and take no compute: one write to take one, one to give it back. */
export class AwsWaitingPlaces implements WaitingPlaces {
  readonly #places: ComputeItem;
  readonly #most: number;

  /** `most`: who asks here gets none beyond it, whatever the limit. Those that are taken elsewhere count. */
  constructor(table: Table, most = Number.POSITIVE_INFINITY) {
    this.#places = new ComputeItem(table);
    this.#most = most;
  }

  async take(tenant: string, limit: number, untilMs: number, nowMs: number): Promise<WaitingPlace | undefined> {
    const key = waitingKey(tenant);
    const asked = { inFlightLimit: Math.min(limit, this.#most), computeMs: 0, dailyComputeMs: 0, expiresAtMs: untilMs };
    const answer = await this.#places.reserve(key, asked, nowMs);
    if (answer.kind !== 'granted') return undefined;
    const taken = { ...answer.place, computeMs: 0 };
    return { leave: (leftMs) => this.#places.settle(key, taken, 0, leftMs) };
  }
}
