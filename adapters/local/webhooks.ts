import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { DeliveryLimits, Webhooks } from '../../core/ports/webhooks.ts';
import { type WebhookDelivery, type WebhookEndpoint, webhookEndpointSchema } from '../../core/webhooks/webhook.ts';
import type { LocalDataKeys, TenantKey } from './data-keys.ts';
import { DeliveryLeases } from './delivery-leases.ts';
import { DeliveryRows } from './delivery-rows.ts';
import { DueDeliveries } from './due-deliveries.ts';
import type { Commits } from './group-commit.ts';
import { TenantMap } from './tenant-map.ts';

/** Rows of one purge transaction: a few milliseconds, so that nobody waits long behind it. */
const PURGE_ROWS = 500;

type Parts = { database: DatabaseSync; commits: Commits; dataKeys: LocalDataKeys; log: Log };
type EndpointRow = { readonly id: string; readonly sealed: Uint8Array };

/** Endpoints are sealed whole; which tenants have any is in memory too and asked there. */
export class LocalWebhooks implements Webhooks {
  readonly #commits: Commits;
  readonly #keys: LocalDataKeys;
  readonly #log: Log;
  readonly #rows: DeliveryRows;
  readonly #leases = new DeliveryLeases();
  readonly #due: DueDeliveries;
  /** The endpoints on the disk. */
  readonly #known = new TenantMap<true>();
  readonly #count: StatementSync;
  readonly #put: StatementSync;
  readonly #change: StatementSync;
  readonly #select: StatementSync;
  readonly #list: StatementSync;
  readonly #remove: StatementSync;
  readonly #erase: StatementSync;

  constructor({ database, commits, dataKeys, log }: Parts) {
    this.#commits = commits;
    this.#keys = dataKeys;
    this.#log = log;
    this.#rows = new DeliveryRows(database);
    this.#due = new DueDeliveries(this.#rows, this.#leases, log);
    const prepare = (sql: string) => database.prepare(sql);
    this.#count = prepare('SELECT count(*) AS count FROM webhook_endpoint WHERE tenant = ?');
    this.#put = prepare('INSERT INTO webhook_endpoint (tenant, id, created_at_ms, sealed) VALUES (?, ?, ?, ?)');
    this.#change = prepare('UPDATE webhook_endpoint SET sealed = ? WHERE tenant = ? AND id = ?');
    this.#select = prepare('SELECT id, sealed FROM webhook_endpoint WHERE tenant = ? AND id = ?');
    this.#list = prepare('SELECT id, sealed FROM webhook_endpoint WHERE tenant = ? ORDER BY created_at_ms, id');
    this.#remove = prepare('DELETE FROM webhook_endpoint WHERE tenant = ? AND id = ?');
    this.#erase = prepare('DELETE FROM webhook_endpoint WHERE tenant = ?');
    const known = database.prepare('SELECT tenant, id FROM webhook_endpoint').all();
    for (const { tenant, id } of known as { tenant: string; id: string }[]) this.#known.set(tenant, id, true);
  }

  isEmpty(tenant: string): boolean {
    return !this.#known.hasTenant(tenant);
  }

  async addEndpoint(endpoint: WebhookEndpoint, most: number): Promise<'added' | 'full'> {
    const { tenant, id, createdAtMs } = endpoint;
    const key = await this.#keys.keyOf(tenant);
    const answer = await this.#commits.write(() => {
      if ((this.#count.get(tenant) as { count: number }).count >= most) return 'full';
      this.#put.run(tenant, id, createdAtMs, this.#seal(key, endpoint));
      return 'added';
    });
    if (answer === 'added') this.#known.set(tenant, id, true);
    return answer;
  }

  async readEndpoint(tenant: string, id: string): Promise<WebhookEndpoint | undefined> {
    const row = await this.#commits.read(() => this.#select.get(tenant, id) as EndpointRow | undefined);
    return row === undefined ? undefined : this.#open(tenant, row);
  }

  async changeEndpoint(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint | undefined> {
    const key = await this.#keys.keyOf(tenant);
    return this.#commits.write(() => {
      const row = this.#select.get(tenant, id) as EndpointRow | undefined;
      if (row === undefined) return undefined;
      const changed = change(this.#open(tenant, row));
      this.#change.run(this.#seal(key, changed), tenant, id);
      return changed;
    });
  }

  async removeEndpoint(tenant: string, id: string): Promise<boolean> {
    const removed = await this.#commits.write(() => {
      this.#rows.removeOf(tenant, id);
      return this.#remove.run(tenant, id).changes === 1;
    });
    this.#known.delete(tenant, id);
    return removed;
  }

  /** What cannot be opened is logged and left out. */
  async listEndpoints(tenant: string): Promise<readonly WebhookEndpoint[]> {
    const endpoints: WebhookEndpoint[] = [];
    for (const row of await this.#commits.read(() => this.#list.all(tenant) as EndpointRow[])) {
      try {
        endpoints.push(this.#open(tenant, row));
      } catch (error) {
        this.#log.error('a webhook is left out of a list', error, { tenant, webhook: row.id });
      }
    }
    return endpoints;
  }

  async addDeliveries(deliveries: readonly WebhookDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    await this.#commits.write(() => {
      for (const delivery of deliveries) this.#rows.insert(delivery);
    });
    for (const { tenant, endpoint, dueAtMs } of deliveries) this.#due.note(tenant, endpoint, dueAtMs);
  }

  async takeDue(nowMs: number, leaseUntilMs: number, limits: DeliveryLimits): Promise<readonly WebhookDelivery[]> {
    this.#leases.endExpired(nowMs);
    const due = await this.#commits.read(() => this.#due.choose(nowMs, limits, !this.#commits.isOpen));
    // Whoever asked at the same time may have leased some of them meanwhile.
    return due.filter((delivery) => this.#leases.take(delivery, leaseUntilMs, limits));
  }

  async settleDelivery(delivery: WebhookDelivery): Promise<void> {
    await this.#commits.write(() => this.#rows.update(delivery));
    this.#leases.end(delivery);
    if (delivery.state === 'waiting') this.#due.note(delivery.tenant, delivery.endpoint, delivery.dueAtMs);
  }

  readDelivery(tenant: string, id: string): Promise<WebhookDelivery | undefined> {
    return this.#commits.read(() => this.#rows.select(tenant, id));
  }

  listDeliveries(tenant: string, endpoint: string, limit: number): Promise<readonly WebhookDelivery[]> {
    return this.#commits.read(() => this.#rows.selectRecent(tenant, endpoint, limit));
  }

  async erase(tenant: string): Promise<void> {
    await this.#commits.write(() => {
      this.#rows.erase(tenant);
      this.#erase.run(tenant);
    });
    this.#known.deleteTenant(tenant);
  }

  async purge(nowMs: number): Promise<number> {
    let purged = 0;
    for (;;) {
      const gone = await this.#commits.write(() => this.#rows.purge(nowMs, PURGE_ROWS));
      purged += gone;
      if (gone < PURGE_ROWS) return purged;
    }
  }

  #seal(key: TenantKey, endpoint: WebhookEndpoint): Uint8Array {
    const plain = Buffer.from(JSON.stringify(webhookEndpointSchema.parse(endpoint)));
    return this.#keys.sealWith(key, endpoint.tenant, contextOf(endpoint.id), plain);
  }

  /** Throws `record-damaged`, `data-erased`. */
  #open(tenant: string, { id, sealed }: EndpointRow): WebhookEndpoint {
    const plain = Buffer.from(this.#keys.openNow(tenant, contextOf(id), sealed)).toString();
    const parsed = webhookEndpointSchema.safeParse(JSON.parse(plain));
    if (parsed.success) return parsed.data;
    throw new Failure('record-damaged', { detail: `webhook_endpoint ${id}` }, { cause: parsed.error });
  }
}

function contextOf(id: string): string {
  return `webhook/${id}`;
}
