import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import { DEAD_LETTER_KEPT_MS } from '../../core/inference/dead-letter.ts';
import type { Job, Lane } from '../../core/inference/job.ts';
import type { DeadLetter, DeadLetterQuery, DeadLetters } from '../../core/ports/dead-letters.ts';
import type { Page } from '../../core/ports/registry.ts';
import type { Commits } from './group-commit.ts';
import type { SealedJobs } from './sealed-jobs.ts';

type Row = Omit<DeadLetter, 'model' | 'version' | 'redrivable'> & {
  readonly seq: number;
  readonly model: string | null;
  readonly version: string | null;
  readonly redrivable: 0 | 1;
};

const COLUMNS = `seq, id, tenant, prediction, model, version, pool, lane, reason, attempts, at_ms AS atMs, sealed IS NOT NULL AS redrivable`;
const MOST_COUNTED = 10_000;
const PURGED_AT_ONCE = 200;

/** A row a letter, with its job sealed. */
export class LocalDeadLetters implements DeadLetters {
  readonly #commits: Commits;
  readonly #sealed: SealedJobs;
  readonly #statements: Readonly<
    Record<'insert' | 'read' | 'job' | 'list' | 'remove' | 'count' | 'purge' | 'erase', StatementSync>
  >;

  constructor(database: DatabaseSync, commits: Commits, sealed: SealedJobs) {
    this.#commits = commits;
    this.#sealed = sealed;
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      insert: prepare(
        `INSERT OR IGNORE INTO dead_letter
           (id, tenant, prediction, model, version, pool, lane, reason, attempts, at_ms, sealed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      read: prepare(`SELECT ${COLUMNS} FROM dead_letter WHERE tenant = ? AND id = ? AND at_ms > ?`),
      job: prepare('SELECT sealed FROM dead_letter WHERE tenant = ? AND id = ? AND at_ms > ?'),
      list: prepare(
        `SELECT ${COLUMNS} FROM dead_letter WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR pool = ?2)
         AND at_ms > ?3 AND seq < ?4 ORDER BY seq DESC LIMIT ?5`,
      ),
      remove: prepare('DELETE FROM dead_letter WHERE tenant = ? AND id = ?'),
      count: prepare(
        `SELECT pool, lane, count(*) AS letters FROM (SELECT pool, lane FROM dead_letter WHERE at_ms > ? LIMIT ${MOST_COUNTED})
         GROUP BY pool, lane ORDER BY pool, lane`,
      ),
      purge: prepare(
        `DELETE FROM dead_letter WHERE seq IN (SELECT seq FROM dead_letter WHERE at_ms <= ? LIMIT ${PURGED_AT_ONCE})`,
      ),
      erase: prepare('DELETE FROM dead_letter WHERE tenant = ?'),
    };
  }

  async add(letter: DeadLetter, job: Job | undefined): Promise<void> {
    const { id, tenant, prediction, model, version, pool, lane, reason, attempts, atMs } = letter;
    const sealed = job === undefined ? null : this.#sealed.sealJob(await this.#sealed.keyOf(tenant), job);
    const described = [id, tenant, prediction, model ?? null, version ?? null, pool, lane, reason, attempts, atMs];
    await this.#commits.write(() => this.#statements.insert.run(...described, sealed));
  }

  async read(tenant: string, id: string, nowMs: number): Promise<DeadLetter | undefined> {
    const after = nowMs - DEAD_LETTER_KEPT_MS;
    const row = await this.#commits.read(() => this.#statements.read.get(tenant, id, after) as Row | undefined);
    return row && toLetter(row);
  }

  async readJob(tenant: string, id: string, nowMs: number): Promise<Job | undefined> {
    const after = nowMs - DEAD_LETTER_KEPT_MS;
    const row = await this.#commits.read(
      () => this.#statements.job.get(tenant, id, after) as { readonly sealed: Uint8Array | null } | undefined,
    );
    if (row === undefined || row.sealed === null) return undefined;
    return this.#sealed.openJob(tenant, `pred_${id.slice('dl_'.length)}`, row.sealed);
  }

  async list(
    { tenant, pool }: DeadLetterQuery,
    limit: number,
    nowMs: number,
    cursor?: string,
  ): Promise<Page<DeadLetter>> {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    if (!Number.isSafeInteger(before)) throw new Failure('request-invalid', { field: 'cursor' });
    const asked = [tenant ?? null, pool ?? null, nowMs - DEAD_LETTER_KEPT_MS, before, limit + 1];
    const rows = await this.#commits.read(() => this.#statements.list.all(...asked) as Row[]);
    const page = rows.slice(0, limit);
    return { items: page.map(toLetter), next: rows.length > limit ? String(page.at(-1)!.seq) : undefined };
  }

  async remove(tenant: string, id: string): Promise<boolean> {
    return (await this.#commits.write(() => this.#statements.remove.run(tenant, id))).changes === 1;
  }

  async count(nowMs: number): Promise<readonly { pool: string; lane: Lane; letters: number }[]> {
    const after = nowMs - DEAD_LETTER_KEPT_MS;
    const rows = await this.#commits.read(() => this.#statements.count.all(after));
    return rows.map((row) => ({ ...(row as { pool: string; lane: Lane; letters: number }) }));
  }

  async purge(nowMs: number): Promise<number> {
    const { changes } = await this.#commits.write(() => this.#statements.purge.run(nowMs - DEAD_LETTER_KEPT_MS));
    return Number(changes);
  }

  async erase(tenant: string): Promise<void> {
    await this.#commits.write(() => this.#statements.erase.run(tenant));
  }
}

function toLetter({ seq: _, model, version, redrivable, ...row }: Row): DeadLetter {
  return { ...row, model: model ?? undefined, version: version ?? undefined, redrivable: redrivable === 1 };
}
