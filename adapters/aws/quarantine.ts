import { FreshCache } from '../../core/fresh-cache.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Quarantine } from '../../core/ports/quarantine.ts';
import { SECOND_MS } from '../../core/units.ts';
import { quarantineKey, quarantinePartition } from './keys.ts';
import type { Table } from './table.ts';

/** How late a handler may learn of an input that another one's worker found: it kills one more runner until then. */
const KNOWN_MS = 10 * SECOND_MS;
const MOST_TENANTS = 10_000;

/** A tenant's fingerprints are few and read together: one query a tenant, handler and ten seconds. */
export class AwsQuarantine implements Quarantine {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #known = new FreshCache<ReadonlyMap<string, number>>(KNOWN_MS, MOST_TENANTS);

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async add(tenant: string, fingerprint: string, reason: string, expiresAtMs: number): Promise<void> {
    const ttl = Math.ceil(expiresAtMs / SECOND_MS);
    await this.#table.put({ ...quarantineKey(tenant, fingerprint), reason, expiresAtMs, ttl });
    this.#known.delete(tenant);
  }

  isEmpty(tenant: string): boolean | Promise<boolean> {
    const known = this.#read(tenant);
    return known instanceof Promise ? known.then((read) => read.size === 0) : known.size === 0;
  }

  async has(tenant: string, fingerprint: string, nowMs: number): Promise<boolean> {
    const untilMs = (await this.#read(tenant)).get(fingerprint);
    return untilMs !== undefined && untilMs > nowMs;
  }

  async erase(tenant: string): Promise<void> {
    await this.#table.deleteAll(quarantinePartition(tenant));
    this.#known.delete(tenant);
  }

  #read(tenant: string): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>> {
    return this.#known.get(tenant, this.#clock.nowMs(), async () => {
      const known = new Map<string, number>();
      for await (const { sk, expiresAtMs } of this.#table.query(quarantinePartition(tenant))) {
        known.set(String(sk), Number(expiresAtMs));
      }
      return known;
    });
  }
}
