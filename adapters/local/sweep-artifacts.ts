import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../../core/ports/log.ts';
import { DAY_MS } from '../../core/units.ts';

const DIGEST = /\b[0-9a-f]{64}\b/g;
/** A push that is refused is often pushed again, mended in one of its files; and whoever restored a database has a day to notice. */
const KEPT_MS = DAY_MS;

/**
 * Deletes files that no version and no open validation names and that have lain there for a day: what refused or broken off pushes have
 * left. Only while nothing else uses the region. If the records cannot all be read nothing is deleted.
 */
export async function sweepArtifacts(folder: string, database: DatabaseSync, log: Log): Promise<void> {
  try {
    const named = namedDigests(database);
    for (const name of await readdir(folder)) {
      if (name.match(DIGEST) === null || named.has(name)) continue;
      const path = join(folder, name);
      // By the machine's own clock, which gave the files their times.
      if (Date.now() - (await stat(path)).mtimeMs < KEPT_MS) continue;
      await rm(path, { force: true });
      log.info('artifact of no version deleted', { digest: name });
    }
  } catch (error) {
    log.error('artifacts not swept', error);
  }
}

/** Whatever looks like a digest in a record, be the rest of it damaged. */
function namedDigests(database: DatabaseSync): ReadonlySet<string> {
  const named = new Set<string>();
  for (const table of ['model_version', 'validation WHERE is_open = 1']) {
    for (const row of database.prepare(`SELECT record FROM ${table}`).iterate()) {
      for (const [digest] of String(row.record).matchAll(DIGEST)) named.add(digest);
    }
  }
  return named;
}
