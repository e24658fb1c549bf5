import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Findings } from './verdict.ts';

const EXPECTED: readonly RegExp[] = [
  /^directory\.db(-wal|-shm)?$/,
  /^us$/,
  /^us\/(artifacts|uploads)$/,
  /^us\/region\.(db|db-wal|key)$/,
  /^us\/artifacts\/[0-9a-f]{64}$/,
];
const UPLOAD = /^us\/uploads\/(upl_[0-9a-f]{32})$/;

/** What must be nowhere once all work is done. */
const LEFTOVERS: Readonly<Record<string, string>> = {
  'messages of no open job': 'SELECT tenant, id FROM message',
  'jobs that never ended': "SELECT tenant, id, state FROM job WHERE state <> 'ended'",
  'jobs without payload': 'SELECT tenant, id FROM job LEFT JOIN job_payload USING (tenant, id) WHERE sealed IS NULL',
  'payloads of no job': 'SELECT tenant, id FROM job_payload WHERE (tenant, id) NOT IN (SELECT tenant, id FROM job)',
};

/** The files of a story that was closed in order: no file but those that have a use, no row but those that have. */
export function checkFiles(data: string, findings: Findings): void {
  // Before the databases are opened, which makes files of its own.
  const names = readdirSync(data, { recursive: true, encoding: 'utf8' });
  for (const name of ['directory.db', 'us/region.db']) {
    const database = new DatabaseSync(join(data, name), { readOnly: true });
    const answer = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    if (answer[0]?.integrity_check !== 'ok') findings.report('damaged', `${name}: ${JSON.stringify(answer)}`);
    if (name.startsWith('us')) checkRows(names, database, findings);
    database.close();
  }
}

function checkRows(names: readonly string[], database: DatabaseSync, findings: Findings): void {
  for (const [what, query] of Object.entries(LEFTOVERS)) {
    const rows = database.prepare(query).all();
    if (rows.length > 0) findings.report('left-behind', `${rows.length} ${what}: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  const uploads = database.prepare('SELECT id FROM upload').all() as { id: string }[];
  const known = new Set(uploads.map(({ id }) => id));
  for (const name of names) {
    const upload = UPLOAD.exec(name)?.[1];
    if (upload !== undefined ? !known.has(upload) : !EXPECTED.some((pattern) => pattern.test(name))) {
      findings.report('left-behind', `the file ${name}`);
    }
  }
}
