import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LogLevelChange, LogLevels } from '../../core/ports/log-levels.ts';
import type { Commits } from './group-commit.ts';

/** One row. */
export class LocalLogLevels implements LogLevels {
  readonly #commits: Commits;
  readonly #put: StatementSync;
  readonly #read: StatementSync;

  constructor({ database, commits }: { database: DatabaseSync; commits: Commits }) {
    this.#commits = commits;
    this.#put = database.prepare('INSERT OR REPLACE INTO log_level (id, level, until_ms, by_whom) VALUES (1, ?, ?, ?)');
    this.#read = database.prepare('SELECT level, until_ms AS untilMs, by_whom AS "by" FROM log_level');
  }

  async put({ level, untilMs, by }: LogLevelChange): Promise<void> {
    await this.#commits.write(() => this.#put.run(level, untilMs, by));
  }

  async read(): Promise<LogLevelChange | undefined> {
    const row = await this.#commits.read(() => this.#read.get() as LogLevelChange | undefined);
    return row && { ...row };
  }
}
