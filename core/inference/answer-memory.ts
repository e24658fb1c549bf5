import type { StoredAnswer } from '../ports/answer-store.ts';
import { MIB } from '../units.ts';

export const MEMORY_BYTES = 64 * MIB;
/** Of all bytes that a tenant may hold: one that asks for ever new things pushes out its own answers, not everybody's. */
export const TENANT_SHARE = 1 / 8;
/** What an entry takes beside its data: its key, its tensors and their places in two maps. */
const ENTRY_BYTES = 1000;
/** What V8 needs for a string beside its characters. */
const TEXT_BYTES = 32;

type Kept = { readonly answer: StoredAnswer; readonly untilMs: number; readonly bytes: number };
/** In order of last use, as are the tenants. */
type Share = { readonly kept: Map<string, Kept>; bytes: number };

/** Answers in memory, bounded in bytes for each tenant and in all; those used longest ago go first. */
export class AnswerMemory {
  readonly #limitBytes: number;
  readonly #shares = new Map<string, Share>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** About what is held. */
  get bytes(): number {
    return this.#bytes;
  }

  get(tenant: string, key: string, nowMs: number): StoredAnswer | undefined {
    const share = this.#shares.get(tenant);
    const kept = share?.kept.get(key);
    if (share === undefined || kept === undefined) return undefined;
    this.#take(tenant, share, key, kept);
    if (kept.untilMs <= nowMs) return undefined;
    this.#put(tenant, share, key, kept);
    return kept.answer;
  }

  /**
   * `dataBytes`: what its outputs take when encoded. One that is larger than a tenant's share is not kept. `untilMs`: how long
   * it may be given from here.
   */
  set(
    tenant: string,
    key: string,
    answer: StoredAnswer,
    dataBytes: number,
    untilMs: number = answer.expiresAtMs,
  ): void {
    const bytes = dataBytes + ENTRY_BYTES + TEXT_BYTES * textsIn(answer);
    const share = this.#shares.get(tenant) ?? { kept: new Map<string, Kept>(), bytes: 0 };
    const before = share.kept.get(key);
    if (before !== undefined) this.#take(tenant, share, key, before);
    this.#put(tenant, share, key, { answer, untilMs, bytes });
    while (share.bytes > this.#limitBytes * TENANT_SHARE) this.#dropOldest(tenant, share);
    while (this.#bytes > this.#limitBytes) {
      const [longestUnused] = this.#shares;
      this.#dropOldest(...longestUnused!);
    }
  }

  erase(tenant: string): void {
    this.#bytes -= this.#shares.get(tenant)?.bytes ?? 0;
    this.#shares.delete(tenant);
  }

  #put(tenant: string, share: Share, key: string, kept: Kept): void {
    share.kept.set(key, kept);
    share.bytes += kept.bytes;
    this.#bytes += kept.bytes;
    this.#shares.delete(tenant);
    this.#shares.set(tenant, share);
  }

  #take(tenant: string, share: Share, key: string, { bytes }: Kept): void {
    share.kept.delete(key);
    share.bytes -= bytes;
    this.#bytes -= bytes;
    if (share.kept.size === 0) this.#shares.delete(tenant);
  }

  #dropOldest(tenant: string, share: Share): void {
    const [oldest] = share.kept;
    this.#take(tenant, share, ...oldest!);
  }
}

function textsIn({ outputs }: StoredAnswer): number {
  let count = 0;
  for (const { data } of outputs) if (Array.isArray(data)) count += data.length;
  return count;
}
