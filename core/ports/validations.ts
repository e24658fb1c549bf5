import type { ValidationRecord } from '../models/validation-record.ts';

/** Pushes that are being validated, and what became of them. Every write is durable when its promise resolves. */
export interface Validations {
  /**
   * Adds a queued record and returns it; or returns the one of this model and digest that is still queued or running. Of
   * concurrent callers with one digest one adds.
   */
  add(record: ValidationRecord): Promise<ValidationRecord>;
  /** Throws `record-damaged`, as nothing else here does: of a damaged record the others know nothing. */
  read(id: string): Promise<ValidationRecord | undefined>;
  /**
   * The oldest record that nobody works on, leased to the caller until `leaseUntilMs`: queued, or running with a lease that
   * has ended, or whose holder is known to be dead. It is then running, its `epoch` and its `attempts` have grown by one (a
   * queued one's are 1). Of concurrent callers one gets it.
   */
  take(nowMs: number, leaseUntilMs: number): Promise<ValidationRecord | undefined>;
  /** Replaces a taken record; false, and nothing changes, if somebody else has taken it since (its epoch is another). */
  update(record: ValidationRecord): Promise<boolean>;
  /** The newest of a model first. */
  list(model: string, limit: number): Promise<readonly ValidationRecord[]>;
  /** Forgets records past `expiresAtMs`. Returns how many. */
  purge(nowMs: number): Promise<number>;
}
