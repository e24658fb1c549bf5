import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Audits } from '../../core/ports/audits.ts';
import { BROKEN_AUDITS } from '../support/broken-audits.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import { type AuditsSubject, auditsCases, describeAuditsContract } from './audits.contract.ts';
import type { Adapter } from './contract.ts';
import { expectCaught } from './expect-caught.ts';

/** Runs a statement on the files of a region that is closed meanwhile. */
async function inFile(platform: LocalPlatform, run: (database: DatabaseSync) => void): Promise<void> {
  await platform.ports.close();
  const database = new DatabaseSync(join(platform.folder, 'region.db'));
  run(database);
  database.close();
  await platform.start();
}

const local: Adapter<Audits, AuditsSubject> = {
  async open() {
    const platform = await openLocalPlatform();
    const change = (run: (database: DatabaseSync) => void) => inFile(platform, run);
    return {
      get port() {
        return platform.ports.audits;
      },
      nowMs: () => platform.clock.nowMs(),
      advance: (ms) => platform.clock.advance(ms),
      reopen: () => platform.reopen(),
      crash: () => platform.crash(),
      close: () => platform.close(),
      change: (seq) =>
        change((database) => {
          database.prepare(`UPDATE audit SET record = replace(record, '"pro"', '"free"') WHERE seq = ?`).run(seq);
        }),
      remove: (seq) =>
        change((database) => {
          database.prepare('DELETE FROM audit WHERE seq = ?').run(seq);
        }),
      swap: (one, other) =>
        change((database) => {
          const move = database.prepare('UPDATE audit SET seq = ? WHERE seq = ?');
          move.run(-1, one);
          move.run(one, other);
          move.run(other, -1);
        }),
      putHeadBack: (seq) =>
        change((database) => {
          const hash = "(SELECT json_extract(record, '$.hash') FROM audit WHERE seq = ?1)";
          database.prepare(`UPDATE audit_head SET seq = ?1, hash = ${hash}`).run(seq);
        }),
    };
  },
};

describeAuditsContract('local', local);
expectCaught('audits', auditsCases, local, BROKEN_AUDITS);
