import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type AuditDraft,
  type AuditEntry,
  auditEntrySchema,
  type ChainHead,
  follow,
  NO_HEAD,
} from '../../core/audit/entry.ts';
import { beyondHead } from '../../core/audit/verify-chain.ts';
import type { Audits, StoredEntry } from '../../core/ports/audits.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Commits } from './group-commit.ts';

type Row = { readonly seq: number; readonly record: string };

/** One row an entry, and one for the head: both in one transaction of the region's one writer. */
export class LocalAudits implements Audits {
  readonly #commits: Commits;
  readonly #log: Log;
  readonly #statements: Readonly<Record<'insert' | 'head' | 'move' | 'walk' | 'newest' | 'newestOf', StatementSync>>;

  constructor({ database, commits, log }: { database: DatabaseSync; commits: Commits; log: Log }) {
    this.#commits = commits;
    this.#log = log;
    this.#statements = {
      insert: database.prepare('INSERT INTO audit (seq, at_ms, tenant, record) VALUES (?, ?, ?, ?)'),
      head: database.prepare(
        'SELECT audit_head.seq, audit_head.hash, at_ms AS atMs FROM audit_head LEFT JOIN audit USING (seq)',
      ),
      move: database.prepare('INSERT OR REPLACE INTO audit_head (id, seq, hash) VALUES (1, ?, ?)'),
      walk: database.prepare('SELECT seq, record FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?'),
      newest: database.prepare('SELECT seq, record FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?'),
      newestOf: database.prepare(
        'SELECT seq, record FROM audit WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
      ),
    };
  }

  append(draft: AuditDraft): Promise<AuditEntry> {
    return this.#commits.write(() => {
      const head = this.#statements.head.get() as (ChainHead & { readonly atMs: number | null }) | undefined;
      const entry = follow(head ?? NO_HEAD, draft, head?.atMs ?? 0);
      if (this.#statements.walk.all(entry.seq, 1).length > 0) throw beyondHead(entry.seq);
      this.#statements.insert.run(entry.seq, entry.atMs, entry.tenant ?? null, JSON.stringify(entry));
      this.#statements.move.run(entry.seq, entry.hash);
      return entry;
    });
  }

  async head(): Promise<ChainHead | undefined> {
    const head = await this.#commits.read(() => this.#statements.head.get() as ChainHead | undefined);
    return head && { seq: head.seq, hash: head.hash };
  }

  async walk(fromSeq: number, limit: number): Promise<readonly StoredEntry[]> {
    const rows = await this.#commits.read(() => this.#statements.walk.all(fromSeq, limit) as Row[]);
    return rows.map(({ seq, record }) => ({ seq, entry: parse(record) }));
  }

  async newest(tenant: string | undefined, beforeSeq: number, limit: number): Promise<readonly AuditEntry[]> {
    const before = Math.min(beforeSeq, Number.MAX_SAFE_INTEGER);
    const { newest, newestOf } = this.#statements;
    const rows = await this.#commits.read(
      () => (tenant === undefined ? newest.all(before, limit) : newestOf.all(tenant, before, limit)) as Row[],
    );
    return rows.flatMap(({ seq, record }) => {
      const entry = parse(record);
      if (entry === undefined) this.#log.warn('an audit entry cannot be read', { seq });
      return entry ?? [];
    });
  }
}

function parse(record: string): AuditEntry | undefined {
  try {
    return auditEntrySchema.safeParse(JSON.parse(record)).data;
  } catch {
    return undefined;
  }
}
