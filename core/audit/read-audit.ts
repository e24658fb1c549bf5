import { Failure } from '../failure.ts';
import type { Audits } from '../ports/audits.ts';
import type { Page } from '../ports/registry.ts';
import type { AuditEntry } from './entry.ts';

/** What is asked for; what is left out is not asked for. */
export type AuditQuery = {
  /** Not before this. */
  readonly fromMs?: number | undefined;
  /** Before this. */
  readonly untilMs?: number | undefined;
  readonly by?: string | undefined;
  readonly action?: string | undefined;
  readonly tenant?: string | undefined;
};

const READ_AT_ONCE = 200;
/** Of one page, whatever is found: 1 MB read, a tenth of a second. The next page goes on from there. */
const MOST_READ = 2000;
/** Requests at once whose beginning lies on the next page. */
const MOST_OPEN = 25;
const CURSOR = /^[0-9]{1,15}(\.[0-9]{1,15}){0,25}$/;

/**
 * What was asked of the region, the newest first: of each request its last entry. One that has begun and not ended is under way, or nobody knows what became of it. A page may hold fewer than `limit` items, or none, and have a next one: where little of what was
 * read was asked for.
 */
export async function listAudit(
  audits: Audits,
  query: AuditQuery,
  limit: number,
  cursor?: string,
): Promise<Page<AuditEntry>> {
  const [before, ...open] = cursor === undefined ? [await startOf(audits, query)] : parseCursor(cursor);
  const reading = new Reading(query, new Set(open));
  let beforeSeq = before!;
  for (let read = 0; read < MOST_READ && beforeSeq > 1; ) {
    const entries = await audits.newest(query.tenant, beforeSeq, READ_AT_ONCE);
    for (const entry of entries) {
      if (entry.atMs < (query.fromMs ?? 0)) return { items: reading.items, next: undefined };
      reading.take(entry);
      beforeSeq = entry.seq;
      read += 1;
      if (reading.items.length === limit) return { items: reading.items, next: reading.cursorAt(beforeSeq) };
    }
    if (entries.length < READ_AT_ONCE) return { items: reading.items, next: undefined };
  }
  return { items: reading.items, next: beforeSeq <= 1 ? undefined : reading.cursorAt(beforeSeq) };
}

class Reading {
  readonly items: AuditEntry[] = [];
  readonly #query: AuditQuery;
  /** Beginnings of requests whose end was seen. */
  readonly #open: Set<number>;

  constructor(query: AuditQuery, open: Set<number>) {
    this.#query = query;
    this.#open = open;
  }

  take(entry: AuditEntry): void {
    const { outcome, by, action, atMs } = entry;
    if (outcome.kind === 'begun' && this.#open.delete(entry.seq)) return;
    if (outcome.kind === 'ended' && outcome.begunSeq !== undefined) this.#open.add(outcome.begunSeq);
    const query = this.#query;
    if (query.by !== undefined && query.by !== by) return;
    if (query.action !== undefined && query.action !== action) return;
    if (query.untilMs !== undefined && atMs >= query.untilMs) return;
    this.items.push(entry);
  }

  cursorAt(beforeSeq: number): string | undefined {
    if (beforeSeq <= 1) return undefined;
    const open = [...this.#open].filter((seq) => seq < beforeSeq).slice(-MOST_OPEN);
    return [beforeSeq, ...open].join('.');
  }
}

/** After the last entry before `untilMs`: entries are in order of their time. */
async function startOf(audits: Audits, { untilMs }: AuditQuery): Promise<number> {
  const end = ((await audits.head())?.seq ?? 0) + 1;
  if (untilMs === undefined) return end;
  let [low, high] = [1, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [found] = await audits.walk(middle, 1);
    if (found?.entry === undefined || found.entry.atMs < untilMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function parseCursor(cursor: string): number[] {
  if (!CURSOR.test(cursor)) throw new Failure('request-invalid', { field: 'cursor', detail: 'not a `next` of a page' });
  return cursor.split('.').map(Number);
}
