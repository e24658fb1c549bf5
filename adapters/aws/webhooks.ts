import { FreshCache } from '../../core/fresh-cache.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type { Log } from '../../core/ports/log.ts';
import type { DeliveryLimits, Webhooks } from '../../core/ports/webhooks.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { WebhookDelivery, WebhookEndpoint } from '../../core/webhooks/webhook.ts';
import { type Due, DueWebhooks, grant, type Lease, noted, without } from './due-webhooks.ts';
import { inParallel } from './in-parallel.ts';
import type { Table } from './table.ts';
import { type Waiting, WebhookDeliveries } from './webhook-deliveries.ts';
import { WebhookEndpoints } from './webhook-endpoints.ts';

/** How late a handler may learn of a tenant's first or last webhook. */
const KNOWN_MS = SECOND_MS;
const MOST_TENANTS = 10_000;
const MOST_AT_ONCE = 16;

type Parts = { readonly table: Table; readonly dataKeys: DataKeys; readonly clock: Clock; readonly log: Log };
type Backlog = { readonly due: Due; readonly waiting: Waiting[][] };

/**
 * Webhooks in the control table. A delivery is noted as due after it is written, and a note is only moved by who has looked
 * while nothing was noted: it may be too early, never too late, so that none is forgotten.
 */
export class AwsWebhooks implements Webhooks {
  readonly #endpoints: WebhookEndpoints;
  readonly #deliveries: WebhookDeliveries;
  readonly #due: DueWebhooks;
  readonly #clock: Clock;
  readonly #empty = new FreshCache<boolean>(KNOWN_MS, MOST_TENANTS);

  constructor({ table, dataKeys, clock, log }: Parts) {
    this.#endpoints = new WebhookEndpoints(table, dataKeys, log);
    this.#deliveries = new WebhookDeliveries(table, clock, log);
    this.#due = new DueWebhooks(table, log);
    this.#clock = clock;
  }

  isEmpty(tenant: string): boolean | Promise<boolean> {
    return this.#empty.get(tenant, this.#clock.nowMs(), async () => (await this.#endpoints.ids(tenant)).length === 0);
  }

  async addEndpoint(endpoint: WebhookEndpoint, most: number): Promise<'added' | 'full'> {
    const added = await this.#endpoints.add(endpoint, most);
    this.#empty.delete(endpoint.tenant);
    return added;
  }

  readEndpoint(tenant: string, id: string): Promise<WebhookEndpoint | undefined> {
    return this.#endpoints.read(tenant, id);
  }

  changeEndpoint(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint | undefined> {
    return this.#endpoints.change(tenant, id, change);
  }

  async removeEndpoint(tenant: string, id: string): Promise<boolean> {
    if (!(await this.#endpoints.remove(tenant, id))) return false;
    this.#empty.delete(tenant);
    await this.#deliveries.removeOf(tenant, id);
    await this.#due.change(tenant, this.#clock.nowMs(), (due) => ({
      dueAtMs: without(due, id),
      leases: due.leases.filter(({ endpoint }) => endpoint !== id),
    }));
    return true;
  }

  listEndpoints(tenant: string): Promise<readonly WebhookEndpoint[]> {
    return this.#endpoints.list(tenant);
  }

  async addDeliveries(deliveries: readonly WebhookDelivery[]): Promise<void> {
    for (const [tenant, some] of Map.groupBy(deliveries, (delivery) => delivery.tenant)) {
      const known = new Set(await this.#endpoints.ids(tenant));
      const wanted = some.filter(({ endpoint }) => known.has(endpoint));
      await inParallel(wanted, MOST_AT_ONCE, (delivery) => this.#deliveries.add(delivery));
      if (wanted.length > 0) await this.#note(tenant, wanted);
    }
  }

  async takeDue(nowMs: number, leaseUntilMs: number, limits: DeliveryLimits): Promise<readonly WebhookDelivery[]> {
    const waiting = (await this.#due.all(nowMs))
      .filter(({ leases, dueAtMs }) => leases.length < limits.ofTenant && earliest(dueAtMs) <= nowMs)
      .sort((a, b) => a.leases.length - b.leases.length || earliest(a.dueAtMs) - earliest(b.dueAtMs));
    const some = waiting.slice(0, limits.taken);
    const backlogs = await inParallel(some, MOST_AT_ONCE, (due) => this.#backlogOf(due, nowMs, limits));
    const chosen = inTurns(backlogs, limits);
    const taken = await inParallel([...chosen], MOST_AT_ONCE, ([tenant, wanted]) =>
      this.#lease(tenant, wanted, { nowMs, leaseUntilMs, limits }),
    );
    return taken.flat();
  }

  async settleDelivery(delivery: WebhookDelivery): Promise<void> {
    const { tenant, id, endpoint, dueAtMs, state } = delivery;
    const isThere = await this.#deliveries.settle(delivery);
    await this.#due.change(tenant, this.#clock.nowMs(), (due) => ({
      dueAtMs: isThere && state === 'waiting' ? noted(due, endpoint, dueAtMs) : due.dueAtMs,
      leases: due.leases.filter((lease) => lease.id !== id),
    }));
  }

  readDelivery(tenant: string, id: string): Promise<WebhookDelivery | undefined> {
    return this.#deliveries.read(tenant, id);
  }

  listDeliveries(tenant: string, endpoint: string, limit: number): Promise<readonly WebhookDelivery[]> {
    return this.#deliveries.list(tenant, endpoint, limit);
  }

  async erase(tenant: string): Promise<void> {
    const endpoints = await this.#endpoints.ids(tenant);
    await this.#endpoints.erase(tenant);
    this.#empty.delete(tenant);
    await this.#deliveries.erase(tenant, endpoints);
    await this.#due.erase(tenant);
  }

  /** Nothing: the table deletes by `ttl`, and what has expired is not shown before. */
  async purge(): Promise<number> {
    return 0;
  }

  #note(tenant: string, deliveries: readonly WebhookDelivery[]): Promise<void> {
    return this.#due.change(tenant, this.#clock.nowMs(), (due) => {
      let { dueAtMs } = due;
      for (const delivery of deliveries) dueAtMs = noted({ dueAtMs }, delivery.endpoint, delivery.dueAtMs);
      return { dueAtMs, leases: due.leases };
    });
  }

  /** What of a tenant is due and not leased, of each endpoint what has been due longest. */
  async #backlogOf(due: Due, nowMs: number, limits: DeliveryLimits): Promise<Backlog> {
    const leased = new Set(due.leases.map(({ id }) => id));
    const waiting: Waiting[][] = [];
    let corrected = due.dueAtMs;
    for (const [endpoint, dueAtMs] of Object.entries(due.dueAtMs)) {
      if (dueAtMs > nowMs) continue;
      const first = await this.#deliveries.waiting(due.tenant, endpoint, limits.ofEndpoint + leased.size);
      const now = first.filter((one) => one.dueAtMs <= nowMs);
      if (now.length === 0) corrected = without({ dueAtMs: corrected }, endpoint, first[0]?.dueAtMs);
      const ofEndpoint = due.leases.filter((lease) => lease.endpoint === endpoint).length;
      waiting.push(now.filter(({ id }) => !leased.has(id)).slice(0, Math.max(0, limits.ofEndpoint - ofEndpoint)));
    }
    // Only if nothing was noted since it was read.
    if (corrected !== due.dueAtMs) await this.#due.replace(due, { dueAtMs: corrected, leases: due.leases });
    return { due, waiting };
  }

  async #lease(
    tenant: string,
    wanted: readonly Waiting[],
    { nowMs, leaseUntilMs, limits }: { nowMs: number; leaseUntilMs: number; limits: DeliveryLimits },
  ): Promise<readonly WebhookDelivery[]> {
    const asked = wanted.map(({ id, endpoint }): Lease => ({ id, endpoint, untilMs: leaseUntilMs }));
    let granted: readonly Lease[] = [];
    await this.#due.change(tenant, nowMs, (due) => {
      const leases = grant(due.leases, asked, limits);
      granted = leases.slice(due.leases.length);
      return { dueAtMs: due.dueAtMs, leases };
    });
    const read = await this.#deliveries.readAll(
      tenant,
      granted.map(({ id }) => id),
    );
    // One may have been settled between the look at it and its lease; its lease ends by itself.
    const taken = read.filter(({ state, dueAtMs }) => state === 'waiting' && dueAtMs <= nowMs);
    const gone = granted.filter(({ id }) => !read.some((delivery) => delivery.id === id));
    for (const one of wanted) if (gone.some(({ id }) => id === one.id)) await this.#deliveries.forget(one);
    return taken;
  }
}

function earliest(dueAtMs: Due['dueAtMs']): number {
  return Math.min(...Object.values(dueAtMs));
}

/** One of each endpoint in turn, those first whose tenant has the fewest leases. */
function inTurns(backlogs: readonly Backlog[], limits: DeliveryLimits): Map<string, Waiting[]> {
  const chosen = new Map<string, Waiting[]>();
  let left = limits.taken;
  for (let turn = 0, isOver = false; !isOver && left > 0; turn += 1) {
    isOver = true;
    for (const { due, waiting } of backlogs) {
      const taken = chosen.get(due.tenant) ?? [];
      for (const of of waiting) {
        const next = of[turn];
        if (next === undefined || left === 0 || due.leases.length + taken.length >= limits.ofTenant) continue;
        taken.push(next);
        left -= 1;
        isOver = false;
      }
      if (taken.length > 0) chosen.set(due.tenant, taken);
    }
  }
  return chosen;
}
