import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import type { ReleaseAudit, Releases } from '../../core/ports/releases.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { orLeftOut, readAudit, readRelease, writeAudit, writeRelease } from '../../core/release/release-record.ts';
import type { Commits } from './group-commit.ts';

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly log: Log };
type Row = { readonly seq: number; readonly id: string; readonly epoch: number; readonly record: string };
type AuditRow = { readonly seq: number; readonly record: string };
type LatestRow = { readonly release: string; readonly isActive: number; readonly record: string };

/** Releases in a region's database: a change, its audits and what a model's latest release is are one transaction. */
export class LocalReleases implements Releases {
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #statements: Readonly<
    Record<
      | 'insert'
      | 'replace'
      | 'select'
      | 'latest'
      | 'setLatest'
      | 'open'
      | 'settle'
      | 'ofModel'
      | 'recent'
      | 'audit'
      | 'audits',
      StatementSync
    >
  >;

  constructor({ database, commits, log }: Parts) {
    this.#commits = commits;
    this.#log = log;
    const prepare = (sql: string) => database.prepare(sql);
    const joined = `SELECT latest.release, latest.is_active AS isActive, release.id, release.record
       FROM latest_release AS latest JOIN release ON release.id = latest.release`;
    this.#statements = {
      insert: prepare('INSERT INTO release (id, model, epoch, record) VALUES (?, ?, ?, ?)'),
      replace: prepare('UPDATE release SET epoch = ?, record = ? WHERE id = ? AND epoch = ?'),
      select: prepare('SELECT seq, id, epoch, record FROM release WHERE id = ?'),
      latest: prepare(`${joined} WHERE latest.model = ?`),
      setLatest: prepare(
        'INSERT OR REPLACE INTO latest_release (model, release, is_active, is_open) VALUES (?, ?, ?, 1)',
      ),
      open: prepare(`${joined} WHERE latest.is_open = 1 ORDER BY latest.model`),
      settle: prepare(
        `UPDATE latest_release SET is_open = 0 WHERE model = ? AND release = ? AND is_active = 0
           AND (SELECT epoch FROM release WHERE id = latest_release.release) = ?`,
      ),
      ofModel: prepare(
        'SELECT seq, id, epoch, record FROM release WHERE model = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
      ),
      recent: prepare('SELECT seq, id, epoch, record FROM release WHERE seq < ? ORDER BY seq DESC LIMIT ?'),
      audit: prepare('INSERT INTO release_audit (release, record) VALUES (?, ?)'),
      audits: prepare('SELECT seq, record FROM release_audit WHERE release = ? AND seq > ? ORDER BY seq LIMIT ?'),
    };
  }

  async start(release: Release, audits: readonly ReleaseAudit[]): Promise<void> {
    const { id, model, epoch } = release;
    if (epoch !== 1) throw new Error(`a release of epoch ${epoch} is not started`);
    await this.#commits.write(() => {
      if (this.#statements.select.get(id) !== undefined)
        throw new Failure('already-exists', { detail: `release ${id}` });
      this.#markLatest(release);
      this.#statements.insert.run(id, model, epoch, writeRelease(release));
      this.#addAudits(audits);
    });
  }

  async write(release: Release, audits: readonly ReleaseAudit[]): Promise<void> {
    const { id, epoch } = release;
    await this.#commits.write(() => {
      if (this.#statements.replace.run(epoch, writeRelease(release), id, epoch - 1).changes === 0)
        throw new Failure('state-conflict', { detail: `release ${id} has changed` });
      this.#markLatest(release);
      this.#addAudits(audits);
    });
  }

  read(id: string): Promise<Release | undefined> {
    return this.#commits.read(() => {
      const row = this.#statements.select.get(id) as Row | undefined;
      return row === undefined ? undefined : readRelease(row.id, row.record);
    });
  }

  readLatest(model: string): Promise<Release | undefined> {
    return this.#commits.read(() => {
      const row = this.#statements.latest.get(model) as Row | undefined;
      return row === undefined ? undefined : readRelease(row.id, row.record);
    });
  }

  async listActive(): Promise<readonly Release[]> {
    return (await this.listOpen()).filter(isActive);
  }

  async listOpen(): Promise<readonly Release[]> {
    return this.#readable(await this.#commits.read(() => this.#statements.open.all() as Row[]));
  }

  async settle({ id, model, epoch }: Release): Promise<void> {
    await this.#commits.write(() => this.#statements.settle.run(model, id, epoch));
  }

  async list(model: string, limit: number, cursor?: string): Promise<Page<Release>> {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const rows = await this.#commits.read(() => this.#statements.ofModel.all(model, before, limit) as Row[]);
    return { items: this.#readable(rows), next: rows.length === limit ? String(rows.at(-1)!.seq) : undefined };
  }

  async listRecent(limit: number, cursor?: string): Promise<Page<Release>> {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const rows = await this.#commits.read(() => this.#statements.recent.all(before, limit) as Row[]);
    return { items: this.#readable(rows), next: rows.length === limit ? String(rows.at(-1)!.seq) : undefined };
  }

  async listAudits(id: string, limit: number, cursor?: string): Promise<Page<ReleaseAudit>> {
    const rows = await this.#commits.read(
      () => this.#statements.audits.all(id, Number(cursor ?? 0), limit) as AuditRow[],
    );
    const items = rows.flatMap(({ seq, record }) =>
      orLeftOut(this.#log, () => readAudit(record), `audit ${seq} of ${id}`),
    );
    return { items, next: rows.length === limit ? String(rows.at(-1)!.seq) : undefined };
  }

  /** Inside a write. A release that cannot be read holds its model for nobody. */
  #markLatest(release: Release): void {
    const { id, model } = release;
    const latest = this.#statements.latest.get(model) as LatestRow | undefined;
    const isLatest = latest?.release === id;
    if (!isActive(release)) {
      if (isLatest) this.#statements.setLatest.run(model, id, 0);
      return;
    }
    if (latest?.isActive === 1 && !isLatest && this.#isReadable(latest))
      throw new Failure('state-conflict', { detail: `release ${latest.release} of ${model} is active` });
    this.#statements.setLatest.run(model, id, 1);
  }

  #addAudits(audits: readonly ReleaseAudit[]): void {
    for (const audit of audits) this.#statements.audit.run(audit.release, writeAudit(audit));
  }

  #isReadable({ release, record }: LatestRow): boolean {
    return orLeftOut(this.#log, () => readRelease(release, record), `release ${release}`).length > 0;
  }

  #readable(rows: readonly Row[]): Release[] {
    return rows.flatMap(({ id, record }) => orLeftOut(this.#log, () => readRelease(id, record), `release ${id}`));
  }
}
