import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import { type WebhookDelivery, webhookDeliverySchema } from '../../core/webhooks/webhook.ts';

type DeliveryRow = { readonly tenant: string; readonly id: string; readonly lastResult: string | null };

const COLUMNS = `tenant, id, endpoint, prediction, event, body, state, attempts, last_result AS lastResult,
  created_at_ms AS createdAtMs, due_at_ms AS dueAtMs, expires_at_ms AS expiresAtMs`;

/** The statements on `webhook_delivery`, to be run inside `Commits.write` and `Commits.read`. */
export class DeliveryRows {
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #select: StatementSync;
  readonly #due: StatementSync;
  readonly #nextDue: StatementSync;
  readonly #recent: StatementSync;
  readonly #waiting: StatementSync;
  readonly #removeOf: StatementSync;
  readonly #erase: StatementSync;
  readonly #purge: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#insert = prepare(
      `INSERT OR IGNORE INTO webhook_delivery
         (tenant, id, endpoint, prediction, event, body, state, attempts, last_result, created_at_ms, due_at_ms, expires_at_ms)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
       WHERE EXISTS (SELECT 1 FROM webhook_endpoint WHERE tenant = ?1 AND id = ?3)`,
    );
    this.#update = prepare(
      `UPDATE webhook_delivery SET state = ?, attempts = ?, last_result = ?, due_at_ms = ?, expires_at_ms = ?
       WHERE tenant = ? AND id = ?`,
    );
    this.#select = prepare(`SELECT ${COLUMNS} FROM webhook_delivery WHERE tenant = ? AND id = ?`);
    const waiting = "FROM webhook_delivery WHERE tenant = ? AND endpoint = ? AND state = 'waiting'";
    this.#due = prepare(`SELECT ${COLUMNS} ${waiting} AND due_at_ms <= ? ORDER BY due_at_ms LIMIT ?`);
    this.#nextDue = prepare(`SELECT min(due_at_ms) AS dueAtMs ${waiting}`);
    this.#recent = prepare(
      `SELECT ${COLUMNS} FROM webhook_delivery WHERE tenant = ? AND endpoint = ? ORDER BY created_at_ms DESC, id LIMIT ?`,
    );
    this.#waiting = prepare(
      `SELECT tenant, endpoint, min(due_at_ms) AS dueAtMs FROM webhook_delivery WHERE state = 'waiting'
       GROUP BY tenant, endpoint`,
    );
    this.#removeOf = prepare('DELETE FROM webhook_delivery WHERE tenant = ? AND endpoint = ?');
    this.#erase = prepare('DELETE FROM webhook_delivery WHERE tenant = ?');
    this.#purge = prepare(
      `DELETE FROM webhook_delivery WHERE (tenant, id) IN
         (SELECT tenant, id FROM webhook_delivery WHERE expires_at_ms <= ? LIMIT ?)`,
    );
  }

  /** Nothing if it is there already, or its endpoint is not. */
  insert(delivery: WebhookDelivery): void {
    const { tenant, id, endpoint, prediction, event, body, state, attempts, lastResult } = delivery;
    const { createdAtMs, dueAtMs, expiresAtMs } = delivery;
    const what = [tenant, id, endpoint, prediction, event, body] as const;
    this.#insert.run(...what, state, attempts, lastResult ?? null, createdAtMs, dueAtMs, expiresAtMs);
  }

  /** Where it stands; what is sent never changes. Nothing if there is none. */
  update(delivery: WebhookDelivery): void {
    const { tenant, id, state, attempts, lastResult, dueAtMs, expiresAtMs } = delivery;
    this.#update.run(state, attempts, lastResult ?? null, dueAtMs, expiresAtMs, tenant, id);
  }

  select(tenant: string, id: string): WebhookDelivery | undefined {
    const row = this.#select.get(tenant, id) as DeliveryRow | undefined;
    return row === undefined ? undefined : parse(row);
  }

  /** Due longest first. */
  selectDue(tenant: string, endpoint: string, nowMs: number, limit: number): WebhookDelivery[] {
    return (this.#due.all(tenant, endpoint, nowMs, limit) as DeliveryRow[]).map(parse);
  }

  /** When the next of an endpoint is due; undefined if none waits. */
  nextDueMs(tenant: string, endpoint: string): number | undefined {
    return (this.#nextDue.get(tenant, endpoint) as { dueAtMs: number | null }).dueAtMs ?? undefined;
  }

  selectRecent(tenant: string, endpoint: string, limit: number): WebhookDelivery[] {
    return (this.#recent.all(tenant, endpoint, limit) as DeliveryRow[]).map(parse);
  }

  /** The endpoints that something waits for, and when the next of each is due. */
  waitingEndpoints(): { tenant: string; endpoint: string; dueAtMs: number }[] {
    return this.#waiting.all() as { tenant: string; endpoint: string; dueAtMs: number }[];
  }

  removeOf(tenant: string, endpoint: string): void {
    this.#removeOf.run(tenant, endpoint);
  }

  erase(tenant: string): void {
    this.#erase.run(tenant);
  }

  /** Deletes up to `limit` expired ones and returns how many. */
  purge(nowMs: number, limit: number): number {
    return Number(this.#purge.run(nowMs, limit).changes);
  }
}

function parse(row: DeliveryRow): WebhookDelivery {
  const { lastResult, ...rest } = row;
  const parsed = webhookDeliverySchema.safeParse(lastResult === null ? rest : { ...rest, lastResult });
  if (parsed.success) return parsed.data;
  throw new Failure('record-damaged', { detail: `webhook_delivery ${row.id}` }, { cause: parsed.error });
}
