import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FailureCode } from '../../core/failure.ts';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { EndedJob } from '../../core/ports/jobs.ts';

type NoticeRow = Omit<EndedJob, 'failure'> & { readonly failure: FailureCode | null };

/**
 * Jobs whose end is to be told of, to be used inside `Commits.write` and `Commits.read`: a row is there from acceptance until
 * somebody has noted the end down. Leases are in memory, as one process holds the region: after a crash all are due at once.
 */
export class Notices {
  readonly #insert: StatementSync;
  readonly #end: StatementSync;
  readonly #select: StatementSync;
  readonly #delete: StatementSync;
  readonly #erase: StatementSync;
  /** When each lease ends, by tenant and id. */
  readonly #leases = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT OR IGNORE INTO notice (tenant, id, model, version) VALUES (?, ?, ?, ?)');
    this.#end = database.prepare(
      `UPDATE notice SET version = coalesce(?, version), failure = ?, ended_at_ms = ?
       WHERE tenant = ? AND id = ? AND ended_at_ms IS NULL`,
    );
    this.#select = database.prepare(
      `SELECT tenant, id, model, version, failure, ended_at_ms AS endedAtMs FROM notice
       WHERE ended_at_ms IS NOT NULL ORDER BY ended_at_ms LIMIT ?`,
    );
    this.#delete = database.prepare('DELETE FROM notice WHERE tenant = ? AND id = ?');
    this.#erase = database.prepare('DELETE FROM notice WHERE tenant = ?');
  }

  add(job: Pick<Job, 'tenant' | 'id' | 'requestedModel' | 'version'>): void {
    this.#insert.run(job.tenant, job.id, job.requestedModel, job.version);
  }

  /** Nothing if nobody is to be told. */
  end(tenant: string, id: string, outcome: Outcome): void {
    const succeeded = outcome.kind === 'succeeded';
    const [version, failure] = succeeded ? [outcome.version, null] : [null, outcome.code];
    this.#end.run(version, failure, outcome.endedAtMs, tenant, id);
  }

  remove(tenant: string, id: string): void {
    this.#leases.delete(keyOf(tenant, id));
    this.#delete.run(tenant, id);
  }

  erase(tenant: string): void {
    this.#erase.run(tenant);
  }

  /** Ended and not leased, longest first. */
  selectEnded(nowMs: number, limit: number): EndedJob[] {
    for (const [key, untilMs] of this.#leases) if (untilMs <= nowMs) this.#leases.delete(key);
    const rows = this.#select.all(limit + this.#leases.size) as NoticeRow[];
    const free = rows.filter(({ tenant, id }) => !this.#leases.has(keyOf(tenant, id))).slice(0, limit);
    return free.map((row) => ({ ...row, failure: row.failure ?? undefined }));
  }

  /** Those that nobody else has leased meanwhile. */
  lease(ended: readonly EndedJob[], untilMs: number): EndedJob[] {
    const leased = ended.filter(({ tenant, id }) => !this.#leases.has(keyOf(tenant, id)));
    for (const { tenant, id } of leased) this.#leases.set(keyOf(tenant, id), untilMs);
    return leased;
  }
}

/** A tenant's id has no slash. */
function keyOf(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}
