import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Idempotency, IdempotencyKey, IdempotencyRecord } from '../../core/ports/idempotency.ts';
import type { Commits } from './group-commit.ts';

/** Expired rows that each claim takes along: more than it adds, so that the table never outgrows its live rows for long. */
const PURGE_ROWS = 4;

/** Keys are text of the client's and stored as their SHA-256 only. */
export class LocalIdempotency implements Idempotency {
  readonly #commits: Commits;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #renew: StatementSync;
  readonly #purge: StatementSync;
  readonly #erase: StatementSync;

  constructor(database: DatabaseSync, commits: Commits) {
    this.#commits = commits;
    const ofKey = 'tenant = ? AND principal = ? AND route = ? AND key_sha256 = ?';
    this.#select = database.prepare(
      `SELECT fingerprint, job_id AS jobId, lease_until_ms AS leaseUntilMs, expires_at_ms AS expiresAtMs
       FROM idempotency WHERE ${ofKey} AND expires_at_ms > ?`,
    );
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO idempotency
         (tenant, principal, route, key_sha256, fingerprint, job_id, lease_until_ms, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#renew = database.prepare(
      `UPDATE idempotency SET lease_until_ms = ?
       WHERE ${ofKey} AND job_id = ? AND lease_until_ms <= ? AND expires_at_ms > ?`,
    );
    this.#purge = database.prepare(
      `DELETE FROM idempotency WHERE (tenant, principal, route, key_sha256) IN (
         SELECT tenant, principal, route, key_sha256 FROM idempotency WHERE expires_at_ms <= ? LIMIT ${PURGE_ROWS})`,
    );
    this.#erase = database.prepare('DELETE FROM idempotency WHERE tenant = ?');
  }

  read(key: IdempotencyKey, nowMs: number): Promise<IdempotencyRecord | undefined> {
    return this.#commits.read(() => this.#find(columns(key), nowMs));
  }

  claim(key: IdempotencyKey, record: IdempotencyRecord, nowMs: number): Promise<'claimed' | IdempotencyRecord> {
    const names = columns(key);
    return this.#commits.write(() => {
      const found = this.#find(names, nowMs);
      if (found !== undefined) return found;
      this.#purge.run(nowMs);
      this.#put.run(...names, record.fingerprint, record.jobId, record.leaseUntilMs, record.expiresAtMs);
      return 'claimed';
    });
  }

  renew(key: IdempotencyKey, jobId: string, leaseUntilMs: number, nowMs: number): Promise<boolean> {
    const names = columns(key);
    return this.#commits.write(() => this.#renew.run(leaseUntilMs, ...names, jobId, nowMs, nowMs).changes === 1);
  }

  async erase(tenant: string): Promise<void> {
    await this.#commits.write(() => this.#erase.run(tenant));
  }

  #find(names: Columns, nowMs: number): IdempotencyRecord | undefined {
    const row = this.#select.get(...names, nowMs) as IdempotencyRecord | undefined;
    return row === undefined ? undefined : { ...row };
  }
}

type Columns = [tenant: string, principal: string, route: string, keySha256: string];

function columns({ tenant, principal, route, key }: IdempotencyKey): Columns {
  return [tenant, principal, route, createHash('sha256').update(key).digest('hex')];
}
