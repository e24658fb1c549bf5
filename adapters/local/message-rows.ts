import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Job, Lane } from '../../core/inference/job.ts';

export type MessageRow = {
  readonly tenant: string;
  readonly id: string;
  readonly pool: string;
  readonly lane: Lane;
  /** When its job was created; null where it has none. */
  readonly acceptedAtMs: number | null;
};

/** The statements on `message`, whose content is the row of `job_payload`; to be run inside `Commits`. */
export class MessageRows {
  readonly #insert: StatementSync;
  readonly #hasPayload: StatementSync;
  readonly #putPayload: StatementSync;
  readonly #payload: StatementSync;
  readonly #delete: StatementSync;
  readonly #deletePayload: StatementSync;
  readonly #erase: StatementSync;
  readonly #deleteEnded: StatementSync;
  readonly #unsend: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#insert = prepare('INSERT OR IGNORE INTO message (tenant, id, pool, lane) VALUES (?, ?, ?, ?)');
    this.#hasPayload = prepare('SELECT 1 FROM job_payload WHERE tenant = ? AND id = ?');
    this.#putPayload = prepare('INSERT INTO job_payload (tenant, id, sealed) VALUES (?, ?, ?)');
    this.#payload = prepare(
      `SELECT sealed FROM job_payload LEFT JOIN job USING (tenant, id)
       WHERE job_payload.tenant = ? AND job_payload.id = ? AND job.state IS NOT 'ended'`,
    );
    this.#delete = prepare('DELETE FROM message WHERE tenant = ? AND id = ?');
    this.#deletePayload = prepare(
      `DELETE FROM job_payload WHERE tenant = ?1 AND id = ?2
       AND NOT EXISTS (SELECT 1 FROM job WHERE tenant = ?1 AND id = ?2)`,
    );
    this.#erase = prepare('DELETE FROM message WHERE tenant = ?');
    this.#deleteEnded = prepare(
      `DELETE FROM message WHERE EXISTS (
         SELECT 1 FROM job WHERE job.tenant = message.tenant AND job.id = message.id AND state = 'ended')`,
    );
    this.#unsend = prepare(
      `UPDATE job SET state = 'submitting' WHERE state = 'running' AND NOT EXISTS (
         SELECT 1 FROM message WHERE message.tenant = job.tenant AND message.id = job.id)`,
    );
    this.#all = prepare(
      `SELECT tenant, id, pool, lane, created_at_ms AS acceptedAtMs FROM message LEFT JOIN job USING (tenant, id)`,
    );
  }

  /** Adds the message, with content unless the job's row has brought it. */
  insert(job: Job, seal: () => Uint8Array): void {
    this.#insert.run(job.tenant, job.id, job.pool, job.lane);
    if (this.#hasPayload.get(job.tenant, job.id) === undefined) this.#putPayload.run(job.tenant, job.id, seal());
  }

  /** The sealed job, or undefined if it has ended or was forgotten. */
  payload(tenant: string, id: string): Uint8Array | undefined {
    return (this.#payload.get(tenant, id) as { sealed: Uint8Array } | undefined)?.sealed;
  }

  delete(tenant: string, id: string): void {
    this.#delete.run(tenant, id);
    this.#deletePayload.run(tenant, id);
  }

  erase(tenant: string): void {
    this.#erase.run(tenant);
  }

  /**
   * All that are to be delivered after a start. A running job without a message was begun while its caller still waited, and
   * cut off before it was sent for good: it is to be sent again.
   */
  loadOpen(): MessageRow[] {
    this.#deleteEnded.run();
    this.#unsend.run();
    return this.#all.all() as MessageRow[];
  }
}
