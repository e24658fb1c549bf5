import type { Log } from '../../core/ports/log.ts';
import type { DeliveryLimits } from '../../core/ports/webhooks.ts';
import { MINUTE_MS } from '../../core/units.ts';
import type { WebhookDelivery } from '../../core/webhooks/webhook.ts';
import type { DeliveryLeases } from './delivery-leases.ts';
import type { DeliveryRows } from './delivery-rows.ts';
import { TenantMap } from './tenant-map.ts';

/** How long an endpoint whose rows cannot be read is left alone, so that the others go on. */
const DAMAGED_MS = MINUTE_MS;

type Waiting = { readonly tenant: string; readonly endpoint: string; dueAtMs: number };

/**
 * The endpoints that something waits for, each with a time before which nothing of it is due: what is looked at instead of a
 * backlog that may be long. A time may be too early, which is found out when it comes; it is never too late.
 */
export class DueDeliveries {
  readonly #rows: DeliveryRows;
  readonly #leases: DeliveryLeases;
  readonly #log: Log;
  readonly #byName = new TenantMap<Waiting>();
  readonly #waiting = new Set<Waiting>();

  constructor(rows: DeliveryRows, leases: DeliveryLeases, log: Log) {
    this.#rows = rows;
    this.#leases = leases;
    this.#log = log;
    for (const { tenant, endpoint, dueAtMs } of rows.waitingEndpoints()) this.note(tenant, endpoint, dueAtMs);
  }

  /** Something of the endpoint is due then. */
  note(tenant: string, endpoint: string, dueAtMs: number): void {
    const known = this.#byName.get(tenant, endpoint);
    if (known !== undefined) {
      known.dueAtMs = Math.min(known.dueAtMs, dueAtMs);
      return;
    }
    const waiting = { tenant, endpoint, dueAtMs };
    this.#byName.set(tenant, endpoint, waiting);
    this.#waiting.add(waiting);
  }

  /**
   * What is due and may be leased: one of each endpoint in turn, those first whose tenant, then whose endpoint has the fewest
   * leases. `mayCorrect` is false while rows can be seen that are not committed.
   */
  choose(nowMs: number, limits: DeliveryLimits, mayCorrect: boolean): WebhookDelivery[] {
    const chosen: WebhookDelivery[] = [];
    const ofTenant = new Map<string, number>();
    let turns = this.#turns(nowMs, limits);
    const backlogs = new Map<Waiting, WebhookDelivery[]>();
    while (turns.length > 0 && chosen.length < limits.taken) {
      const goOn: Waiting[] = [];
      for (const waiting of turns) {
        const taken = ofTenant.get(waiting.tenant) ?? this.#leases.ofTenant(waiting.tenant);
        if (taken >= limits.ofTenant) continue;
        if (chosen.length === limits.taken) return chosen;
        let backlog = backlogs.get(waiting);
        if (backlog === undefined) {
          backlog = this.#backlogOf(waiting, nowMs, limits, mayCorrect);
          backlogs.set(waiting, backlog);
        }
        const next = backlog.shift();
        if (next === undefined) continue;
        chosen.push(next);
        ofTenant.set(waiting.tenant, taken + 1);
        goOn.push(waiting);
      }
      turns = goOn;
    }
    return chosen;
  }

  #turns(nowMs: number, limits: DeliveryLimits): Waiting[] {
    const leases = this.#leases;
    const turns: { waiting: Waiting; tenants: number; endpoints: number }[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.dueAtMs > nowMs) continue;
      const { tenant, endpoint } = waiting;
      const turn = { waiting, tenants: leases.ofTenant(tenant), endpoints: leases.ofEndpoint(tenant, endpoint) };
      if (turn.tenants < limits.ofTenant && turn.endpoints < limits.ofEndpoint) turns.push(turn);
    }
    turns.sort((a, b) => a.tenants - b.tenants || a.endpoints - b.endpoints || a.waiting.dueAtMs - b.waiting.dueAtMs);
    return turns.map(({ waiting }) => waiting);
  }

  /** What is due of an endpoint and not leased, up to what may be leased of it. */
  #backlogOf(waiting: Waiting, nowMs: number, limits: DeliveryLimits, mayCorrect: boolean): WebhookDelivery[] {
    const { tenant, endpoint } = waiting;
    const leased = this.#leases.ofEndpoint(tenant, endpoint);
    try {
      const due = this.#rows.selectDue(tenant, endpoint, nowMs, limits.ofEndpoint);
      if (due.length === 0 && mayCorrect) this.#correct(waiting);
      return due.filter((delivery) => !this.#leases.has(delivery)).slice(0, limits.ofEndpoint - leased);
    } catch (error) {
      this.#log.error('deliveries of a webhook cannot be read', error, { tenant, webhook: endpoint });
      waiting.dueAtMs = nowMs + DAMAGED_MS;
      return [];
    }
  }

  #correct(waiting: Waiting): void {
    const { tenant, endpoint } = waiting;
    const dueAtMs = this.#rows.nextDueMs(tenant, endpoint);
    if (dueAtMs !== undefined) {
      waiting.dueAtMs = dueAtMs;
      return;
    }
    this.#byName.delete(tenant, endpoint);
    this.#waiting.delete(waiting);
  }
}
