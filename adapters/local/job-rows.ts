import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Job } from '../../core/inference/job.ts';

export type JobRow = {
  readonly tenant: string;
  readonly id: string;
  readonly state: 'submitting' | 'queued' | 'running' | 'ended';
  readonly attempt: number;
  readonly expiresAtMs: number;
  /** null if the payload was found damaged and dropped. */
  readonly sealed: Uint8Array | null;
};

const COLUMNS = 'job.tenant, job.id, state, attempt, expires_at_ms AS expiresAtMs, sealed';
const WITH_PAYLOAD = 'job LEFT JOIN job_payload USING (tenant, id)';

/** The statements on `job` and `job_payload`, to be run inside `Commits.write` and `Commits.read`. */
export class JobRows {
  readonly #insert: StatementSync;
  readonly #markQueued: StatementSync;
  readonly #begin: StatementSync;
  readonly #setAttempt: StatementSync;
  readonly #end: StatementSync;
  readonly #select: StatementSync;
  readonly #state: StatementSync;
  readonly #unsent: StatementSync;
  readonly #purge: StatementSync;
  readonly #erase: StatementSync;
  readonly #putPayload: StatementSync;
  readonly #dropPayload: StatementSync;
  readonly #erasePayloads: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#insert = prepare(
      `INSERT OR IGNORE INTO job (tenant, id, state, attempt, created_at_ms, deadline_ms, expires_at_ms)
       VALUES (?, ?, 'submitting', 0, ?, ?, ?)`,
    );
    this.#markQueued = prepare("UPDATE job SET state = 'queued' WHERE tenant = ? AND id = ? AND state = 'submitting'");
    this.#begin = prepare(
      `UPDATE job SET state = 'running', attempt = attempt + 1
       WHERE tenant = ? AND id = ? AND state <> 'ended' RETURNING attempt`,
    );
    this.#setAttempt = prepare('UPDATE job SET attempt = ? WHERE tenant = ? AND id = ?');
    this.#end = prepare("UPDATE job SET state = 'ended' WHERE tenant = ? AND id = ? AND state <> 'ended'");
    this.#select = prepare(`SELECT ${COLUMNS} FROM ${WITH_PAYLOAD} WHERE job.tenant = ? AND job.id = ?`);
    this.#state = prepare('SELECT state FROM job WHERE tenant = ? AND id = ?');
    this.#unsent = prepare(
      `SELECT ${COLUMNS} FROM ${WITH_PAYLOAD} WHERE state = 'submitting' AND created_at_ms < ?
       ORDER BY created_at_ms LIMIT ?`,
    );
    this.#purge = prepare(
      `DELETE FROM job WHERE (tenant, id) IN (SELECT tenant, id FROM job WHERE expires_at_ms <= ? LIMIT ?)
       RETURNING tenant, id`,
    );
    this.#erase = prepare('DELETE FROM job WHERE tenant = ? RETURNING id, state');
    this.#putPayload = prepare('INSERT OR REPLACE INTO job_payload (tenant, id, sealed) VALUES (?, ?, ?)');
    this.#dropPayload = prepare('DELETE FROM job_payload WHERE tenant = ? AND id = ?');
    this.#erasePayloads = prepare('DELETE FROM job_payload WHERE tenant = ?');
  }

  /** False if the id is there already. */
  insert(job: Job, nowMs: number, expiresAtMs: number): boolean {
    return this.#insert.run(job.tenant, job.id, nowMs, job.deadlineMs, expiresAtMs).changes === 1;
  }

  markQueued(tenant: string, id: string): void {
    this.#markQueued.run(tenant, id);
  }

  setAttempt(tenant: string, id: string, attempt: number): void {
    this.#setAttempt.run(attempt, tenant, id);
  }

  /** The attempt that starts, or undefined if there is no such job or it has ended. */
  begin(tenant: string, id: string): number | undefined {
    return (this.#begin.get(tenant, id) as { attempt: number } | undefined)?.attempt;
  }

  /** False if there is no such job or it has ended: of all that try, one gets true. */
  end(tenant: string, id: string): boolean {
    return this.#end.run(tenant, id).changes === 1;
  }

  state(tenant: string, id: string): JobRow['state'] | undefined {
    return (this.#state.get(tenant, id) as Pick<JobRow, 'state'> | undefined)?.state;
  }

  select(tenant: string, id: string): JobRow | undefined {
    return this.#select.get(tenant, id) as JobRow | undefined;
  }

  selectUnsent(beforeMs: number, limit: number): JobRow[] {
    return this.#unsent.all(beforeMs, limit) as JobRow[];
  }

  /** Deletes up to `limit` expired jobs and returns which. */
  purge(nowMs: number, limit: number): Pick<JobRow, 'tenant' | 'id'>[] {
    const purged = this.#purge.all(nowMs, limit) as Pick<JobRow, 'tenant' | 'id'>[];
    for (const { tenant, id } of purged) this.dropPayload(tenant, id);
    return purged;
  }

  /** Deletes the jobs of a tenant and returns which they were. */
  erase(tenant: string): Pick<JobRow, 'id' | 'state'>[] {
    this.#erasePayloads.run(tenant);
    return this.#erase.all(tenant) as Pick<JobRow, 'id' | 'state'>[];
  }

  putPayload(tenant: string, id: string, sealed: Uint8Array): void {
    this.#putPayload.run(tenant, id, sealed);
  }

  dropPayload(tenant: string, id: string): void {
    this.#dropPayload.run(tenant, id);
  }
}
