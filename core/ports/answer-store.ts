import type { Tensor } from '../inference/tensor.ts';

/** An answer that may be given again. */
export type StoredAnswer = {
  readonly version: string;
  readonly outputs: readonly Tensor[];
  readonly expiresAtMs: number;
};

/**
 * The response cache of a region: shared by its hosts, with a bounded memory of each host before it. A value is sealed
 * under its tenant's data key wherever it rests. Losing one costs a computation, so writes need not be durable and failures
 * of the store are the adapter's to log: a read then finds nothing.
 */
export interface AnswerStore {
  /** Without a promise where memory knows. Nothing past `expiresAtMs`. */
  read(tenant: string, key: string, nowMs: number): StoredAnswer | undefined | Promise<StoredAnswer | undefined>;
  /** May return before it is stored. */
  write(tenant: string, key: string, answer: StoredAnswer): void;
  /** Forgets a tenant, in memory too. */
  erase(tenant: string): Promise<void>;
  /** Forgets what has expired. Returns how many. */
  purge(nowMs: number): Promise<number>;
}
