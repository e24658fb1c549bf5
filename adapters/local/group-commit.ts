import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { OnBoundary } from './boundary.ts';
import { asStorageFailure } from './storage-failure.ts';

/** Writers that share one commit. `done` resolves when their rows are on the disk and rejects if none of them is. */
type Group = { readonly done: Promise<void>; resolve(): void; reject(reason: unknown): void };

/**
 * The one writer of a database. Writes of one turn of the event loop share a transaction and so one fsync: each costs
 * microseconds, the fsync a good part of a millisecond or more.
 *
 * Nothing that was read or written in an open transaction leaves here before it is committed: `write` and `read`
 * both resolve (and refuse) only once the group that they saw is on the disk, so a crash takes no answer back.
 */
export class Commits {
  readonly #database: DatabaseSync;
  readonly #onBoundary: OnBoundary | undefined;
  readonly #statements: Record<'begin' | 'commit' | 'rollback' | 'mark' | 'keep' | 'undo', StatementSync>;
  #group: Group | undefined;
  #nextCommitMs = 0;

  constructor(database: DatabaseSync, onBoundary?: OnBoundary) {
    this.#database = database;
    this.#onBoundary = onBoundary;
    this.#statements = {
      begin: database.prepare('BEGIN'),
      commit: database.prepare('COMMIT'),
      rollback: database.prepare('ROLLBACK'),
      mark: database.prepare('SAVEPOINT writer'),
      keep: database.prepare('RELEASE writer'),
      undo: database.prepare('ROLLBACK TO writer'),
    };
  }

  /** True while rows can be seen that are not committed: nothing read now may be cached. */
  get isOpen(): boolean {
    return this.#group !== undefined;
  }

  /**
   * Runs `statements` at once, all or nothing, and resolves with their value once they are durable. What they throw
   * undoes them alone. `storage-unavailable` if the disk refuses; then none of the group's writes happened.
   */
  async write<T>(statements: () => T): Promise<T> {
    const group = this.#join();
    let value: T;
    try {
      this.#statements.mark.run();
      value = statements();
      this.#statements.keep.run();
    } catch (error) {
      this.#undo(group, error);
      // A refusal may rest on rows of this group: it counts when they do.
      await group.done;
      throw asStorageFailure(error);
    }
    await group.done;
    return value;
  }

  /** What `query` returns, once everything that it saw is committed. `record-damaged` if a page cannot be read. */
  async read<T>(query: () => T): Promise<T> {
    for (;;) {
      const value = onDisk(query);
      const group = this.#group;
      if (group === undefined) return value;
      const committed = await group.done.then(
        () => true,
        () => false,
      );
      if (committed) return value;
    }
  }

  /** Commits what is open and empties the log, so that no overwritten content is left in it. */
  truncateLog(): void {
    if (this.#group !== undefined) this.#commit(this.#group);
    const answer = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (answer.busy !== 0) throw new Failure('storage-unavailable', { detail: 'the database log is in use' });
  }

  /** Commits what is open and closes the database; harmless if it is. */
  close(): void {
    if (this.#group !== undefined) this.#commit(this.#group);
    if (this.#database.isOpen) this.#database.close();
  }

  #join(): Group {
    if (this.#group !== undefined) return this.#group;
    if (!this.#database.isOpen) throw new Failure('storage-unavailable', { detail: 'the region is closed' });
    this.#statements.begin.run();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const group: Group = { done: promise, resolve, reject };
    // Each writer hears of a failure by its own await.
    group.done.catch(() => {});
    this.#group = group;
    this.#schedule(group);
    return group;
  }

  /**
   * At the end of this turn, but no sooner after the last commit than that took: the disk gets half of this thread at
   * most. By the machine's own clock, as it paces the machine and decides nothing.
   */
  #schedule(group: Group): void {
    const commit = () => {
      if (this.#group === group) this.#commit(group);
    };
    const waitMs = this.#nextCommitMs - performance.now();
    if (waitMs > 0) setTimeout(commit, Math.ceil(waitMs));
    else setImmediate(commit);
  }

  #commit(group: Group): void {
    const startMs = performance.now();
    try {
      this.#onBoundary?.('commit:before');
      this.#statements.commit.run();
    } catch (cause) {
      this.#abandon(group, cause);
      return;
    }
    this.#group = undefined;
    this.#nextCommitMs = 2 * performance.now() - startMs;
    this.#onBoundary?.('commit:after');
    group.resolve();
  }

  /** Takes back one writer's statements; if SQLite has ended the transaction by itself (disk full, I/O), the whole group's. */
  #undo(group: Group, error: unknown): void {
    try {
      if (!this.#database.isTransaction) throw error;
      this.#statements.undo.run();
      this.#statements.keep.run();
    } catch (cause) {
      if (this.#group === group) this.#abandon(group, cause);
    }
  }

  #abandon(group: Group, cause: unknown): void {
    this.#group = undefined;
    group.reject(new Failure('storage-unavailable', {}, { cause }));
    if (this.#database.isTransaction) this.#statements.rollback.run();
  }
}

function onDisk<T>(query: () => T): T {
  try {
    return query();
  } catch (error) {
    throw asStorageFailure(error);
  }
}
