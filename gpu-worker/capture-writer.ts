import type { Job, Outcome } from '../core/inference/job.ts';
import type { Tensor } from '../core/inference/tensor.ts';
import type { Capture } from '../core/ports/captures.ts';
import type { Platform } from '../core/ports/platform.ts';
import { MIB, SECOND_MS } from '../core/units.ts';

/** Captures that wait to be written: at the thousand a second that one disk commits, a quarter of a second's. */
const MOST_WAITING = 256;
const MOST_WAITING_BYTES = 64 * MIB;
/** Written together: they share a commit. */
const WRITTEN_AT_ONCE = 32;
/** A full disk fails thousands of captures: one line tells of all within this time. */
const TELL_EVERY_MS = 10 * SECOND_MS;

type Waiting = { readonly capture: Capture; readonly bytes: number };
type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

/**
 * Keeps copies of predictions, beside the way of their answers: nobody waits for it, and what it cannot write or hold is
 * counted, told in the log, and gone.
 */
export class CaptureWriter {
  readonly #ports: Pick<Platform, 'captures' | 'registry' | 'clock' | 'log'>;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #lost = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(ports: Pick<Platform, 'captures' | 'registry' | 'clock' | 'log'>) {
    this.#ports = ports;
  }

  /** Takes a succeeded prediction whose job is to be kept. Returns at once and never throws. */
  offer(job: Job, outcome: Succeeded, expiresAtMs: number): void {
    const { id, tenant, model, inputs } = job;
    const { version, outputs, endedAtMs: atMs } = outcome;
    const bytes = bytesOf(inputs) + bytesOf(outputs);
    if (this.#waiting.length >= MOST_WAITING || this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.#lose(1, new Error('more predictions to keep than can be written'));
      return;
    }
    this.#waiting.push({ capture: { id, tenant, model, version, atMs, inputs, outputs, expiresAtMs }, bytes });
    this.#waitingBytes += bytes;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all that was taken is written or lost. */
  async drain(): Promise<void> {
    await this.#writing;
    if (this.#lost > 0) this.#tell(undefined);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // The answers that are on their way in this turn go first.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#waiting.splice(0, WRITTEN_AT_ONCE);
      const results = await Promise.allSettled(batch.map(({ capture }) => this.#write(capture)));
      for (const { bytes } of batch) this.#waitingBytes -= bytes;
      const failed = results.filter((result) => result.status === 'rejected');
      if (failed.length > 0) this.#lose(failed.length, failed[0]!.reason);
    }
    this.#writing = undefined;
  }

  /** Consent is asked for again: it may have been withdrawn since the prediction was admitted. */
  async #write(capture: Capture): Promise<void> {
    const tenant = await this.#ports.registry.readTenant(capture.tenant);
    if (tenant?.captureConsent) await this.#ports.captures.write(capture);
  }

  #lose(captures: number, cause: unknown): void {
    this.#lost += captures;
    if (this.#ports.clock.nowMs() - this.#toldMs >= TELL_EVERY_MS) this.#tell(cause);
  }

  #tell(cause: unknown): void {
    this.#ports.log.error('predictions not captured', cause, { captures: this.#lost });
    this.#toldMs = this.#ports.clock.nowMs();
    this.#lost = 0;
  }
}

function bytesOf(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) {
    if (Array.isArray(data)) for (const text of data) bytes += 2 * text.length;
    else bytes += data.byteLength;
  }
  return bytes;
}
