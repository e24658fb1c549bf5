import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { readWatchRecord, type WatchRecord, writeWatchRecord } from '../../core/operations/watch-record.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Watches } from '../../core/ports/watches.ts';
import type { Commits } from './group-commit.ts';

type Parts = { readonly database: DatabaseSync; readonly commits: Commits; readonly log: Log };

/** One row, replaced once a minute. */
export class LocalWatches implements Watches {
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #put: StatementSync;
  readonly #get: StatementSync;

  constructor({ database, commits, log }: Parts) {
    this.#commits = commits;
    this.#log = log;
    this.#put = database.prepare(
      `INSERT INTO watch (one, at_ms, record) VALUES (1, ?, ?)
         ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, record = excluded.record WHERE at_ms <= excluded.at_ms`,
    );
    this.#get = database.prepare('SELECT record FROM watch');
  }

  async save(record: WatchRecord): Promise<void> {
    await this.#commits.write(() => this.#put.run(record.atMs, writeWatchRecord(record)));
  }

  async latest(): Promise<WatchRecord | undefined> {
    const row = await this.#commits.read(() => this.#get.get() as { readonly record: string } | undefined);
    try {
      return row && readWatchRecord(row.record);
    } catch (error) {
      this.#log.error('what was measured last cannot be read: it is measured anew', error);
      return undefined;
    }
  }
}
