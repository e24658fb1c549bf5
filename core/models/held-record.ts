import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import type { Check } from './report.ts';
import type { RunningRecord, ValidationRecord } from './validation-record.ts';

/** A validator that has written nothing for so long is taken to be dead. */
export const LEASE_MS = 15 * SECOND_MS;
const WRITE_EVERY_MS = 250;

type Ports = Pick<Platform, 'validations' | 'clock' | 'log'>;

/**
 * A validation record under this process's lease: what is found is written at most every 250 ms, and the lease is renewed when half
 * of it is over. Once somebody else has taken it, or the host stops, `signal` aborts.
 */
export class HeldRecord {
  readonly record: RunningRecord;
  readonly signal: AbortSignal;
  readonly #ports: Ports;
  readonly #host: AbortSignal | undefined;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  readonly #keeping: Promise<void>;
  #leaseUntilMs: number;
  #checks: readonly Check[] = [];
  #progress: string | undefined;
  #isNews = false;

  constructor(ports: Ports, record: RunningRecord, host: AbortSignal | undefined) {
    this.#ports = ports;
    this.record = record;
    this.#host = host;
    this.#leaseUntilMs = record.state.leaseUntilMs;
    this.signal = host === undefined ? this.#lost.signal : AbortSignal.any([host, this.#lost.signal]);
    this.#keeping = this.#keep();
  }

  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  get isStopped(): boolean {
    return this.#host?.aborted ?? false;
  }

  get checks(): ValidationRecord['checks'] {
    return [...this.#checks];
  }

  /** Kept in memory until the next write. */
  report(checks: readonly Check[], progress: string): void {
    this.#checks = checks;
    this.#progress = progress;
    this.#isNews = true;
  }

  /** Writes at once; throws if somebody else has the record. */
  async expectHeld(progress: string): Promise<void> {
    this.signal.throwIfAborted();
    this.report(this.#checks, progress);
    await this.#write();
    this.signal.throwIfAborted();
  }

  /** Writes the last of it: what became of the record, or how it is given back. */
  async leave(change: Partial<ValidationRecord>): Promise<ValidationRecord> {
    await this.release();
    const left = { ...this.record, ...change };
    if (!(await this.#ports.validations.update(left))) this.#lose();
    return left;
  }

  /** Stops renewing the lease. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    const { clock, log } = this.#ports;
    const { signal } = this.#released;
    while (!signal.aborted && !this.isLost) {
      await clock.sleep(WRITE_EVERY_MS, signal).catch(() => {});
      const isDue = this.#isNews || clock.nowMs() > this.#leaseUntilMs - LEASE_MS / 2;
      if (signal.aborted || !isDue) continue;
      await this.#write().catch((error: unknown) => {
        log.error('the progress of a validation was not written', error, { validation: this.record.id });
      });
    }
  }

  async #write(): Promise<void> {
    this.#isNews = false;
    const leaseUntilMs = this.#ports.clock.nowMs() + LEASE_MS;
    const state = { ...this.record.state, leaseUntilMs };
    const written = { ...this.record, state, checks: this.checks, progress: this.#progress };
    if (await this.#ports.validations.update(written)) this.#leaseUntilMs = leaseUntilMs;
    else this.#lose();
  }

  #lose(): void {
    this.#lost.abort(new Error('somebody else has taken the validation'));
  }
}
