import { asFailure } from '../../core/failure.ts';
import { decodeAnswer, encodeAnswer } from '../../core/inference/answer-codec.ts';
import { AnswerMemory, MEMORY_BYTES } from '../../core/inference/answer-memory.ts';
import type { AnswerStore, StoredAnswer } from '../../core/ports/answer-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type { Log } from '../../core/ports/log.ts';
import { KIB, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { answerKey, answersPartition } from './keys.ts';
import type { Table } from './table.ts';

/** As long as keys are cached: what another host's erasure has forgotten is not given from here for longer. */
const MEMORY_MS = 5 * MINUTE_MS;
/** An item holds 400 KB. Larger answers stay in memory alone: to store them elsewhere costs more than most computations. */
const MOST_BYTES = 256 * KIB;
/** Writes under way: what comes on top stays in memory alone. */
const MOST_WRITES = 64;

type Parts = { readonly table: Table; readonly dataKeys: DataKeys; readonly clock: Clock; readonly log: Log };

/**
 * Answers in this process's memory and in the jobs table, sealed under their tenant's data key. Ids are keyed hashes, so that an
 * item does not even tell whether a certain input was sent.
 */
export class AwsAnswers implements AnswerStore {
  readonly #parts: Parts;
  readonly #memory: AnswerMemory;
  readonly #writing = new Set<Promise<void>>();
  /** What was begun before an erasure, of any tenant, is dropped: it may be of the one erased. */
  #erasures = 0;
  #isFailing = false;

  constructor(parts: Parts, memoryBytes: number = MEMORY_BYTES) {
    this.#parts = parts;
    this.#memory = new AnswerMemory(memoryBytes);
  }

  read(tenant: string, key: string, nowMs: number): StoredAnswer | Promise<StoredAnswer | undefined> {
    return this.#memory.get(tenant, key, nowMs) ?? this.#readStored(tenant, key, nowMs);
  }

  write(tenant: string, key: string, answer: StoredAnswer): void {
    const bytes = encodeAnswer(answer);
    // A copy of its own: what a worker sends may be a small part of a whole batch's bytes.
    this.#keep(tenant, key, decodeAnswer(bytes), bytes.length);
    if (bytes.length > MOST_BYTES || this.#writing.size >= MOST_WRITES) return;
    const writing = this.#store(tenant, key, answer.expiresAtMs, bytes).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async erase(tenant: string): Promise<void> {
    this.#erasures += 1;
    this.#memory.erase(tenant);
    await this.close();
    await this.#parts.table.deleteAll(answersPartition(tenant));
  }

  /** Nothing: the table deletes by `ttl`, and what has expired is not given before. */
  async purge(): Promise<number> {
    return 0;
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await Promise.all(this.#writing);
  }

  async #readStored(tenant: string, key: string, nowMs: number): Promise<StoredAnswer | undefined> {
    const erasures = this.#erasures;
    try {
      const id = await this.#idOf(tenant, key);
      const item = await this.#parts.table.get(answerKey(tenant, id));
      if (item === undefined || Number(item.expiresAtMs) <= nowMs || erasures !== this.#erasures) return undefined;
      const bytes = await this.#parts.dataKeys.open(tenant, contextOf(id), item.sealed as Uint8Array);
      const answer = decodeAnswer(bytes);
      if (answer.expiresAtMs <= nowMs || erasures !== this.#erasures) return undefined;
      this.#keep(tenant, key, answer, bytes.length);
      this.#isFailing = false;
      return answer;
    } catch (error) {
      this.#complain('a kept answer could not be read', error);
      return undefined;
    }
  }

  async #store(tenant: string, key: string, expiresAtMs: number, bytes: Uint8Array): Promise<void> {
    const erasures = this.#erasures;
    try {
      const id = await this.#idOf(tenant, key);
      const sealed = await this.#parts.dataKeys.seal(tenant, contextOf(id), bytes);
      if (erasures !== this.#erasures) return;
      const ttl = Math.ceil(expiresAtMs / SECOND_MS);
      await this.#parts.table.put({ ...answerKey(tenant, id), sealed, expiresAtMs, ttl });
      this.#isFailing = false;
    } catch (error) {
      this.#complain('an answer could not be stored', error);
    }
  }

  #keep(tenant: string, key: string, answer: StoredAnswer, dataBytes: number): void {
    const untilMs = Math.min(answer.expiresAtMs, this.#parts.clock.nowMs() + MEMORY_MS);
    this.#memory.set(tenant, key, answer, dataBytes, untilMs);
  }

  #idOf(tenant: string, key: string): Promise<string> {
    return this.#parts.dataKeys.fingerprint(tenant, Buffer.from(`answer\n${key}`));
  }

  /** Once until it works again: a table that fails, fails every request. */
  #complain(message: string, error: unknown): void {
    if (asFailure(error).code === 'data-erased') return;
    if (!this.#isFailing) this.#parts.log.error(message, error);
    this.#isFailing = true;
  }
}

function contextOf(id: string): string {
  return `answer/${id}`;
}
