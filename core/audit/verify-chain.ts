import { Failure } from '../failure.ts';
import type { Audits, StoredEntry } from '../ports/audits.ts';
import type { Clock } from '../ports/clock.ts';
import { type ChainHead, chainHash, NO_HEAD } from './entry.ts';

/** Read at once: 0.5 KB each. */
const PAGE_ENTRIES = 500;

export type Verification = {
  /** Nothing that was looked at is broken. */
  readonly ok: boolean;
  /** How many entries were looked at, from the first to the last of these. */
  readonly entries: number;
  readonly fromSeq: number;
  readonly untilSeq: number;
  /** False: time was up; go on from `untilSeq + 1`. */
  readonly complete: boolean;
  readonly head: ChainHead | undefined;
  readonly broken: { readonly seq: number; readonly why: string } | undefined;
};

export type VerifyOptions = {
  /** The first entry to be looked at; default: the first one. The hash of the one before it is taken as it is. */
  readonly fromSeq?: number | undefined;
  /** When to stop; default: never. */
  readonly untilMs?: number | undefined;
  /** A head that was noted down before: its entry must be in the chain still. Finds a chain whose end and head were both cut off. */
  readonly known?: ChainHead | undefined;
};

/** What the store says of a chain whose head was put back. */
export function beyondHead(seq: number): Failure {
  return new Failure('record-damaged', { detail: `the audit log has an entry ${seq}, which is after its head` });
}

/**
 * Walks the chain page by page and says where it is broken first: an entry that was changed, that is missing, that stands in another's place, a tail that
 * was cut off, or a head that was. Entries that are added meanwhile are left alone.
 */
export async function verifyChain(
  { audits, clock }: { readonly audits: Audits; readonly clock: Clock },
  { fromSeq = 1, untilMs = Number.POSITIVE_INFINITY, known }: VerifyOptions = {},
): Promise<Verification> {
  const head = await audits.head();
  const broken = await findStray(audits, head, known);
  const walk = new ChainWalk(fromSeq, head ?? NO_HEAD);
  if (broken === undefined && fromSeq > 1) walk.startAfter((await audits.walk(fromSeq - 1, 1))[0]);
  while (broken === undefined && !walk.isOver) {
    if (clock.nowMs() >= untilMs) return walk.report(head, false);
    walk.take(await audits.walk(walk.next, PAGE_ENTRIES));
  }
  return { ...walk.report(head, true), ...(broken && { ok: false, broken }) };
}

/** Checks the last `count` entries alone: what is cheap enough for every minute. */
export async function verifyTail(
  ports: { readonly audits: Audits; readonly clock: Clock },
  count: number,
  known?: ChainHead,
): Promise<Verification> {
  const head = await ports.audits.head();
  return verifyChain(ports, { fromSeq: Math.max(1, (head?.seq ?? 0) - count + 1), known });
}

/** What the walk from the first entry to the head does not see: entries after the head, and a head that was there before. */
async function findStray(
  audits: Audits,
  head: ChainHead | undefined,
  known: ChainHead | undefined,
): Promise<Verification['broken']> {
  const [after] = await audits.walk((head?.seq ?? 0) + 1, 1);
  if (after !== undefined) {
    // It may have been added with a newer head since that was read.
    const now = await audits.head();
    if ((now?.seq ?? 0) < after.seq) return { seq: after.seq, why: 'it is after the head, which was put back' };
  }
  if (known === undefined || known.seq === 0) return undefined;
  const [then] = await audits.walk(known.seq, 1);
  if (then?.seq !== known.seq) return { seq: known.seq, why: 'it was the head once, and is gone' };
  return then.entry?.hash === known.hash ? undefined : { seq: known.seq, why: 'it was the head once, and was changed' };
}

class ChainWalk {
  readonly #fromSeq: number;
  readonly #head: ChainHead;
  #previous: string | undefined = NO_HEAD.hash;
  #broken: Verification['broken'];
  next: number;

  constructor(fromSeq: number, head: ChainHead) {
    this.#fromSeq = fromSeq;
    this.#head = head;
    this.next = fromSeq;
  }

  get isOver(): boolean {
    return this.#broken !== undefined || this.next > this.#head.seq;
  }

  startAfter(before: StoredEntry | undefined): void {
    const seq = this.#fromSeq - 1;
    if (before?.seq === seq && before.entry !== undefined) this.#previous = before.entry.hash;
    else if (seq <= this.#head.seq) this.#broken = { seq, why: 'it is missing or cannot be read' };
  }

  take(page: readonly StoredEntry[]): void {
    if (page.length === 0) {
      this.#broken = { seq: this.next, why: `it is missing, and all up to ${this.#head.seq}` };
      return;
    }
    for (const stored of page) {
      if (this.isOver) return;
      const why = this.#mistakeOf(stored);
      if (why !== undefined) {
        this.#broken = { seq: this.next, why };
        return;
      }
      this.#previous = stored.entry!.hash;
      this.next += 1;
    }
  }

  report(head: ChainHead | undefined, complete: boolean): Verification {
    const untilSeq = this.next - 1;
    const entries = untilSeq - this.#fromSeq + 1;
    const ok = this.#broken === undefined;
    return { ok, entries, fromSeq: this.#fromSeq, untilSeq, complete, head, broken: this.#broken };
  }

  #mistakeOf({ seq, entry }: StoredEntry): string | undefined {
    if (seq !== this.next) return 'it is missing';
    if (entry === undefined) return 'it cannot be read';
    if (entry.seq !== seq) return `entry ${entry.seq} stands in its place`;
    if (chainHash(entry, this.#previous!) !== entry.hash) return 'it, or its place, is not what its hash says';
    if (seq === this.#head.seq && entry.hash !== this.#head.hash) return 'it is not the entry that the head names';
    return undefined;
  }
}
