import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import { type ModelRoute, type ModelVersion, modelVersionSchema } from '../../core/models/version.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import type { Commits } from './group-commit.ts';
import { Lru } from './lru.ts';

/** A manifest and a signature each, a few KB: 10 MB at the most. */
const MAX_CACHED = 2000;

type VersionRow = { readonly version: number; readonly record: string };
type RouteRow = { readonly model: string; readonly stable: string | null; readonly epoch: number };

/** Versions of models, numbered in order of pushing, and the routes that say which one answers. */
export class ModelRecords {
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #statements: Record<'ofDigest' | 'last' | 'insert' | 'select' | 'page' | 'pageDown', StatementSync>;
  readonly #routes: Record<'select' | 'put' | 'addEmpty' | 'page', StatementSync>;
  /** Versions never change; routes are taken out when written, and nothing is put in while a transaction is open. */
  readonly #cachedVersions = new Lru<ModelVersion>(MAX_CACHED);
  readonly #cachedRoutes = new Lru<ModelRoute>(MAX_CACHED);

  constructor({ database, commits, log }: { database: DatabaseSync; commits: Commits; log: Log }) {
    this.#commits = commits;
    this.#log = log;
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      ofDigest: prepare('SELECT version FROM model_version WHERE model = ? AND digest = ?'),
      last: prepare('SELECT max(version) AS version FROM model_version WHERE model = ?'),
      insert: prepare('INSERT INTO model_version (model, version, digest, record) VALUES (?, ?, ?, ?)'),
      select: prepare('SELECT version, record FROM model_version WHERE model = ? AND version = ?'),
      page: prepare(
        'SELECT version, record FROM model_version WHERE model = ? AND version > ? ORDER BY version LIMIT ?',
      ),
      pageDown: prepare(
        'SELECT version, record FROM model_version WHERE model = ? AND version < ? ORDER BY version DESC LIMIT ?',
      ),
    };
    this.#routes = {
      select: prepare('SELECT model, stable, epoch FROM model_route WHERE model = ?'),
      put: prepare('INSERT OR REPLACE INTO model_route (model, stable, epoch) VALUES (?, ?, ?)'),
      addEmpty: prepare('INSERT OR IGNORE INTO model_route (model, stable, epoch) VALUES (?, NULL, 0)'),
      page: prepare('SELECT model, stable, epoch FROM model_route WHERE model > ? ORDER BY model LIMIT ?'),
    };
  }

  addVersion(pushed: Omit<ModelVersion, 'version'>): Promise<{ version: string; added: boolean }> {
    const { model, digest } = pushed;
    return this.#commits.write(() => {
      const same = this.#statements.ofDigest.get(model, digest) as { version: number } | undefined;
      if (same !== undefined) return { version: String(same.version), added: false };
      const last = this.#statements.last.get(model) as { version: number | null };
      const number = (last.version ?? 0) + 1;
      const record = modelVersionSchema.parse({ ...pushed, version: String(number) });
      this.#statements.insert.run(model, number, digest, JSON.stringify(record));
      this.#cachedRoutes.delete(model);
      this.#routes.addEmpty.run(model);
      return { version: record.version, added: true };
    });
  }

  /** Throws `record-damaged`. */
  async readVersion(model: string, version: string): Promise<ModelVersion | undefined> {
    const key = `${model}/${version}`;
    const cached = this.#cachedVersions.get(key);
    if (cached !== undefined) return cached;
    const row = await this.#commits.read(
      () => this.#statements.select.get(model, Number(version)) as VersionRow | undefined,
    );
    // Names such as '1.0' or '01' are not the number's.
    if (row === undefined || String(row.version) !== version) return undefined;
    const record = parse(model, row);
    this.#cachedVersions.set(key, record);
    return record;
  }

  /** Damaged records are logged and left out. */
  async listVersions(
    model: string,
    limit: number,
    cursor?: string,
    order: 'oldest' | 'newest' = 'oldest',
  ): Promise<Page<ModelVersion>> {
    const [page, from] =
      order === 'oldest'
        ? [this.#statements.page, Number(cursor ?? 0)]
        : [this.#statements.pageDown, Number(cursor ?? Number.MAX_SAFE_INTEGER)];
    const rows = await this.#commits.read(() => page.all(model, from, limit) as VersionRow[]);
    const items: ModelVersion[] = [];
    for (const row of rows) {
      try {
        items.push(parse(model, row));
      } catch (error) {
        this.#log.error('a record is left out of a list', error, {
          table: 'model_version',
          model,
          version: row.version,
        });
      }
    }
    return { items, next: rows.length === limit ? String(rows.at(-1)?.version) : undefined };
  }

  async listModels(limit: number, cursor = ''): Promise<Page<ModelRoute>> {
    const rows = await this.#commits.read(() => this.#routes.page.all(cursor, limit) as RouteRow[]);
    return { items: rows.map(asRoute), next: rows.length === limit ? rows.at(-1)?.model : undefined };
  }

  async readRoute(model: string): Promise<ModelRoute | undefined> {
    const cached = this.#cachedRoutes.get(model);
    if (cached !== undefined) return cached;
    return this.#commits.read(() => {
      const row = this.#routes.select.get(model) as RouteRow | undefined;
      const route = row === undefined ? undefined : asRoute(row);
      if (route !== undefined && !this.#commits.isOpen) this.#cachedRoutes.set(model, route);
      return route;
    });
  }

  async writeRoute({ model, stable, epoch }: ModelRoute): Promise<void> {
    await this.#commits.write(() => {
      const stored = (this.#routes.select.get(model) as RouteRow | undefined)?.epoch ?? 0;
      if (epoch === 1 && stored > 0) throw new Failure('already-exists', { detail: `route ${model}` });
      if (stored !== epoch - 1) throw new Failure('state-conflict', { detail: `route ${model}` });
      this.#cachedRoutes.delete(model);
      this.#routes.put.run(model, stable ?? null, epoch);
    });
  }
}

function parse(model: string, row: VersionRow): ModelVersion {
  try {
    return modelVersionSchema.parse(JSON.parse(row.record));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `version ${row.version} of ${model}` }, { cause });
  }
}

function asRoute({ model, stable, epoch }: RouteRow): ModelRoute {
  return { model, stable: stable ?? undefined, epoch };
}
