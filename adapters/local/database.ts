import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';

const SQLITE_BUSY = 5;
/** Longest wait for another process that writes to a shared database: a commit takes milliseconds, a checkpoint tenths of seconds. */
const BUSY_MS = 5000;

/**
 * Opens or creates a database whose commits survive power loss (WAL, synchronous FULL) and whose deleted content is
 * overwritten. `exclusive` holds it until closed or killed: a second opener, of any process, gets `storage-unavailable`.
 */
export function openDatabase(file: string, sharing: 'exclusive' | 'shared'): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: sharing === 'shared' ? BUSY_MS : 0 });
  try {
    // Before the first access to the WAL: then its index is kept in memory and the file lock is never let go.
    if (sharing === 'exclusive') database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    // Temporary tables in memory: a spill would be a file with row contents. A checkpoint leaves at most 16 MiB of log.
    database.exec('PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192');
    // The first write takes the lock.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Failure('storage-unavailable', { detail: `${file} is in use by another process` }, { cause: error });
  }
}

/** Brings the schema up to the last of `migrations`; each is applied once, whole or not at all, in order. */
export function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  // The lock before the look: another process may be at it.
  database.exec('BEGIN IMMEDIATE');
  try {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > migrations.length) {
      const known = `the database has schema ${version}, this release knows ${migrations.length}`;
      throw new Error(`${known}: start the newer release`);
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
