import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import { decodeAnswer, encodeAnswer } from '../../core/inference/answer-codec.ts';
import { AnswerMemory, MEMORY_BYTES } from '../../core/inference/answer-memory.ts';
import type { AnswerStore, StoredAnswer } from '../../core/ports/answer-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { MIB } from '../../core/units.ts';
import { type AnswerRow, AnswerRows, STORED_BYTES } from './answer-rows.ts';
import type { LocalDataKeys } from './data-keys.ts';
import type { Commits } from './group-commit.ts';

/**
 * Answers are written down together, ten times a second: 64 cost about 3 ms of this thread and one fsync. What comes on top
 * of that, in number or in bytes, stays in memory alone.
 */
const STORE_EVERY_MS = 100;
const MOST_PENDING = 64;
const MOST_PENDING_BYTES = MIB;
/** Expired rows that one purge takes along. */
const PURGE_ROWS = 1000;

type Pending = { readonly tenant: string; readonly key: string; readonly answer: StoredAnswer; readonly bytes: Buffer };
type Parts = { database: DatabaseSync; commits: Commits; dataKeys: LocalDataKeys; clock: Clock; log: Log };
type Bounds = { readonly memoryBytes: number; readonly storedBytes: number };

/**
 * Answers in this process's memory, and in the region's database sealed under their tenant's data key. Row ids are keyed hashes,
 * so that a row does not even tell whether a certain input was sent. Its expiry is sealed too. A crash loses the last
 * tenth of a second.
 */
export class LocalAnswers implements AnswerStore {
  readonly #commits: Commits;
  readonly #keys: LocalDataKeys;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #memory: AnswerMemory;
  readonly #rows: AnswerRows;
  readonly #closed = new AbortController();
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #storing: Promise<void> | undefined;
  /** What was begun before an erasure, of any tenant, is dropped: it may be of the one erased. */
  #erasures = 0;
  #isFailing = false;
  /** A write was undone: the sums of what is stored are to be made anew. */
  #isUncounted = false;

  constructor(
    { database, commits, dataKeys, clock, log }: Parts,
    bounds: Bounds = { memoryBytes: MEMORY_BYTES, storedBytes: STORED_BYTES },
  ) {
    this.#commits = commits;
    this.#keys = dataKeys;
    this.#clock = clock;
    this.#log = log;
    this.#memory = new AnswerMemory(bounds.memoryBytes);
    this.#rows = new AnswerRows(database, bounds.storedBytes);
  }

  read(tenant: string, key: string, nowMs: number): StoredAnswer | undefined | Promise<StoredAnswer | undefined> {
    const kept = this.#memory.get(tenant, key, nowMs);
    return kept === undefined && this.#rows.has(tenant) ? this.#readStored(tenant, key, nowMs) : kept;
  }

  write(tenant: string, key: string, answer: StoredAnswer): void {
    const bytes = encodeAnswer(answer);
    // A copy of its own: what a worker sends may be a small part of a whole batch's bytes.
    this.#memory.set(tenant, key, decodeAnswer(bytes), bytes.length);
    const isFull = this.#pending.length >= MOST_PENDING || this.#pendingBytes + bytes.length > MOST_PENDING_BYTES;
    if (isFull || this.#closed.signal.aborted) return;
    this.#pending.push({ tenant, key, answer, bytes });
    this.#pendingBytes += bytes.length;
    this.#storing ??= this.#storePending();
  }

  async erase(tenant: string): Promise<void> {
    this.#erasures += 1;
    this.#memory.erase(tenant);
    this.#pending = this.#pending.filter((each) => each.tenant !== tenant);
    await this.#change(() => this.#rows.erase(tenant));
  }

  purge(nowMs: number): Promise<number> {
    return this.#change(() => this.#rows.deleteExpired(nowMs, PURGE_ROWS));
  }

  /** Writes down what is pending. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#storing;
  }

  async #readStored(tenant: string, key: string, nowMs: number): Promise<StoredAnswer | undefined> {
    const erasures = this.#erasures;
    try {
      const id = await this.#idOf(tenant, key);
      const sealed = this.#rows.find(tenant, id, nowMs);
      if (sealed === undefined || erasures !== this.#erasures) return undefined;
      const bytes = this.#keys.openNow(tenant, contextOf(id), sealed);
      const answer = decodeAnswer(bytes);
      if (answer.expiresAtMs <= nowMs) return undefined;
      this.#memory.set(tenant, key, answer, bytes.length);
      this.#isFailing = false;
      return answer;
    } catch (error) {
      this.#complain('a kept answer could not be read', error);
      return undefined;
    }
  }

  async #storePending(): Promise<void> {
    while (this.#pending.length > 0) {
      await this.#clock.sleep(STORE_EVERY_MS, this.#closed.signal).catch(() => {});
      await this.#store();
    }
    this.#storing = undefined;
  }

  async #store(): Promise<void> {
    const pending = this.#pending;
    const erasures = this.#erasures;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      const rows = await this.#seal(pending);
      await this.#change(() => {
        if (erasures !== this.#erasures) return;
        // More than are added, so that the table does not grow while nobody purges.
        this.#rows.deleteExpired(this.#clock.nowMs(), 2 * rows.length);
        for (const row of rows) this.#rows.put(row);
      });
      this.#isFailing = false;
    } catch (error) {
      this.#complain('answers could not be stored', error);
    }
  }

  async #seal(pending: readonly Pending[]): Promise<AnswerRow[]> {
    const rows: AnswerRow[] = [];
    for (const { tenant, key, answer, bytes } of pending) {
      const id = await this.#idOf(tenant, key);
      const sealed = this.#keys.sealWith(await this.#keys.keyOf(tenant), tenant, contextOf(id), bytes);
      rows.push({ tenant, id, sealed, expiresAtMs: answer.expiresAtMs });
    }
    return rows;
  }

  #idOf(tenant: string, key: string): Promise<string> {
    return this.#keys.fingerprint(tenant, Buffer.from(`answer\n${key}`));
  }

  async #change<T>(statements: () => T): Promise<T> {
    try {
      return await this.#commits.write(() => {
        if (this.#isUncounted) this.#rows.count();
        this.#isUncounted = false;
        return statements();
      });
    } catch (error) {
      this.#isUncounted = true;
      throw error;
    }
  }

  /** Once until it works again: a disk that fails, fails every request. */
  #complain(message: string, error: unknown): void {
    if (error instanceof Failure && error.code === 'data-erased') return;
    if (!this.#isFailing) this.#log.error(message, error);
    this.#isFailing = true;
  }
}

function contextOf(id: string): string {
  return `answer/${id}`;
}
