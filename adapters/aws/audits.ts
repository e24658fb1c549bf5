import { z } from 'zod';
import {
  type AuditDraft,
  type AuditEntry,
  auditEntrySchema,
  type ChainHead,
  follow,
  NO_HEAD,
} from '../../core/audit/entry.ts';
import { beyondHead } from '../../core/audit/verify-chain.ts';
import { Failure } from '../../core/failure.ts';
import type { Audits, StoredEntry } from '../../core/ports/audits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import {
  AUDIT_HEAD_KEY,
  auditBlock,
  auditBlockOf,
  auditKey,
  auditSeqOf,
  auditTenantKey,
  auditTenantPartition,
} from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Item, Table, Write } from './table.ts';

/** Two items an entry beside the head, of the hundred that one transaction takes. */
const MOST_AT_ONCE = 40;
/** With pauses of 100 ms on average: a writer among fifty processes that all write has its turn within two seconds. */
const MOST_TRIES = 20;
const LONGEST_PAUSE_MS = 200;

const headSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  seq: z.int().min(1),
  hash: z.string(),
  atMs: z.number(),
});
type Head = ChainHead & { readonly atMs: number };
const START: Head = { ...NO_HEAD, atMs: 0 };

type Waiting = {
  readonly draft: AuditDraft;
  resolve(entry: AuditEntry): void;
  reject(error: unknown): void;
};

/**
 * The chain in the control table: an item an entry, in blocks; one that names a tenant has a place among that tenant's; and one item holds the head, on which every
 * append is conditional, in one transaction. Appends of one process go together.
 */
export class AwsAudits implements Audits {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #isDraining = false;
  /** As it was written or read last: saves a read where nobody else writes. */
  #known: Head | undefined;

  constructor(table: Table, clock: Clock, log: Log) {
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
  }

  append(draft: AuditDraft): Promise<AuditEntry> {
    const { promise, resolve, reject } = Promise.withResolvers<AuditEntry>();
    this.#waiting.push({ draft, resolve, reject });
    if (!this.#isDraining) void this.#drain();
    return promise;
  }

  async head(): Promise<ChainHead | undefined> {
    const { seq, hash } = await this.#readHead();
    return seq === 0 ? undefined : { seq, hash };
  }

  async walk(fromSeq: number, limit: number): Promise<readonly StoredEntry[]> {
    const found: StoredEntry[] = [];
    let last: number | undefined;
    for (let block = auditBlockOf(fromSeq); last === undefined || block <= last; block += 1) {
      const range = { after: auditKey(fromSeq - 1).sk, limit: limit - found.length };
      for await (const item of this.#table.query(auditBlock(block), range)) {
        found.push({ seq: auditSeqOf(String(item.sk)), entry: entryOf(item) });
      }
      if (found.length >= limit) break;
      // Where a whole block is gone the next one tells of it; and one after the head must be found too.
      last ??= auditBlockOf((await this.#readHead()).seq + 1);
    }
    return found;
  }

  async newest(tenant: string | undefined, beforeSeq: number, limit: number): Promise<readonly AuditEntry[]> {
    const items = tenant === undefined ? this.#down(beforeSeq, limit) : this.#ofTenant(tenant, beforeSeq, limit);
    return (await items).flatMap((item) => {
      const entry = entryOf(item);
      if (entry === undefined) this.#log.warn('an audit entry cannot be read', { seq: auditSeqOf(String(item.sk)) });
      return entry ?? [];
    });
  }

  async #down(beforeSeq: number, limit: number): Promise<readonly Item[]> {
    const found: Item[] = [];
    const last = Math.min(beforeSeq - 1, (await this.#readHead()).seq);
    for (let block = auditBlockOf(last); block >= 0 && found.length < limit; block -= 1) {
      // Sort keys are sixteen digits: `0` is before all of them.
      const range = { after: '0', before: auditKey(last).sk, newestFirst: true, limit: limit - found.length };
      found.push(...(await Array.fromAsync(this.#table.query(auditBlock(block), range))));
    }
    return found;
  }

  async #ofTenant(tenant: string, beforeSeq: number, limit: number): Promise<readonly Item[]> {
    const range = { after: '0', before: auditKey(beforeSeq - 1).sk, newestFirst: true, limit };
    const places = await Array.fromAsync(this.#table.query(auditTenantPartition(tenant), range));
    const items = await this.#table.getMany(places.map(({ sk }) => auditKey(auditSeqOf(String(sk)))));
    return [...items].sort((a, b) => String(b.sk).localeCompare(String(a.sk)));
  }

  /** Never rejects. What comes until its last turn is written by it. */
  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        const entries = await this.#write(batch.map(({ draft }) => draft));
        for (const [at, { resolve }] of batch.entries()) resolve(entries[at]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isDraining = false;
  }

  async #write(drafts: readonly AuditDraft[]): Promise<readonly AuditEntry[]> {
    let head = this.#known ?? (await this.#readHead());
    for (let tries = 1; ; tries += 1) {
      const entries = chainOf(head, drafts);
      const answer = await this.#table.transact(...writesOf(head, entries));
      if (answer === 'written') {
        const { seq, hash, atMs } = entries.at(-1)!;
        this.#known = { seq, hash, atMs };
        return entries;
      }
      if (tries === MOST_TRIES) throw new Failure('overloaded', { detail: 'many changes at once', retryAfterMs: 1000 });
      if (tries > 1) await this.#clock.sleep(Math.random() * LONGEST_PAUSE_MS);
      const now = await this.#readHead();
      // Nobody else has written: it is the place of the entry that is taken.
      if (answer === 'refused' && tries > 1 && now.hash === head.hash) throw beyondHead(now.seq + 1);
      head = now;
    }
  }

  async #readHead(): Promise<Head> {
    const item = await this.#table.get(AUDIT_HEAD_KEY);
    if (item === undefined) return START;
    const { seq, hash, atMs } = parseItem(headSchema, item);
    return { seq, hash, atMs };
  }
}

function chainOf(from: Head, drafts: readonly AuditDraft[]): readonly AuditEntry[] {
  let head = from;
  return drafts.map((draft) => {
    const entry = follow(head, draft, head.atMs);
    head = entry;
    return entry;
  });
}

function writesOf(head: Head, entries: readonly AuditEntry[]): readonly Write[] {
  const { seq, hash, atMs } = entries.at(-1)!;
  const isNew = { text: 'attribute_not_exists(pk)' };
  const isLast = { text: '#hash = :hash', names: { '#hash': 'hash' }, values: { ':hash': head.hash } };
  return [
    { put: { ...AUDIT_HEAD_KEY, seq, hash, atMs }, condition: head.seq === 0 ? isNew : isLast },
    ...entries.map((entry) => ({ put: { ...auditKey(entry.seq), record: JSON.stringify(entry) }, condition: isNew })),
    ...entries.flatMap(({ tenant, seq }) => (tenant === undefined ? [] : [{ put: auditTenantKey(tenant, seq) }])),
  ];
}

function entryOf({ record }: Item): AuditEntry | undefined {
  try {
    return auditEntrySchema.safeParse(JSON.parse(String(record))).data;
  } catch {
    return undefined;
  }
}
