import type { WaitingPlace, WaitingPlaces } from '../../core/ports/waiting-places.ts';

/** Places of a region whose processes share them, in memory. */
export class RegionPlaces implements WaitingPlaces {
  readonly #held = new Map<string, Map<object, number>>();

  async take(tenant: string, limit: number, untilMs: number, nowMs: number): Promise<WaitingPlace | undefined> {
    const ends = this.#held.get(tenant) ?? new Map<object, number>();
    this.#held.set(tenant, ends);
    for (const [ended, endMs] of ends) if (endMs <= nowMs) ends.delete(ended);
    if (ends.size >= limit) return undefined;
    const place: WaitingPlace = {
      async leave() {
        ends.delete(place);
      },
    };
    ends.set(place, untilMs);
    return place;
  }

  /** When the places end that a tenant has taken and not left. */
  endsOf(tenant: string): readonly number[] {
    return [...(this.#held.get(tenant)?.values() ?? [])];
  }
}
