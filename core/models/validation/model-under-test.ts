import { Failure } from '../../failure.ts';
import type { Tensor } from '../../inference/tensor.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Sandbox, SandboxedModel, SandboxRun } from '../../ports/sandbox.ts';
import { GIB, SECOND_MS } from '../../units.ts';
import type { Signature } from '../signature.ts';

/** A model that needs more cannot be served beside others on one machine. */
export const MEMORY_LIMIT_BYTES = 8 * GIB;
/** A file of 2 GiB, the most that ONNX allows, loads within 10 s from a slow disk. */
const LOAD_LIMIT_MS = 60 * SECOND_MS;
/** All runs of one validation: a pusher waits for about a minute. */
const RUNS_LIMIT_MS = 60 * SECOND_MS;

/** How a run ended; `no-time`: not the model's own limit but that of the whole validation stopped it. */
export type Ran = SandboxRun | { readonly kind: 'no-time' };

type Ports = { readonly sandbox: Sandbox; readonly clock: Clock };

/**
 * A model that nobody trusts yet, behind limits of time and memory. A run that ends its process is answered so, and the
 * next run has a fresh one. Every run is limited by the manifest's timeout, and all of them together by a minute.
 */
export class ModelUnderTest {
  readonly #ports: Ports;
  readonly #path: string;
  readonly #timeoutMs: number;
  #model: SandboxedModel | undefined;
  #endMs = Number.POSITIVE_INFINITY;
  #peakBytes = 0;

  constructor(ports: Ports, path: string, timeoutMs: number) {
    this.#ports = ports;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws `model-invalid`, or `validation-timeout` if it does not end. */
  async load(): Promise<{ readonly signature: Signature; readonly loadMs: number }> {
    const { signature, loadMs } = await this.#fresh();
    this.#endMs = this.nowMs() + RUNS_LIMIT_MS;
    return { signature, loadMs };
  }

  nowMs(): number {
    return this.#ports.clock.nowMs();
  }

  /** The most memory that loading and running took so far. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** What a run may take by the manifest. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** `mostMs`: a limit of its own for a run whose end is of no great interest. */
  async run(inputs: readonly Tensor[], mostMs = Number.POSITIVE_INFINITY): Promise<Ran> {
    const leftMs = this.#endMs - this.nowMs();
    if (leftMs <= 0) return { kind: 'no-time' };
    const model = this.#model ?? (await this.#fresh());
    const limitMs = Math.min(this.#timeoutMs, mostMs, leftMs);
    const ran = await model.run(inputs, limitMs);
    this.#peakBytes = Math.max(this.#peakBytes, model.peakBytes());
    if (ran.kind === 'crashed' || ran.kind === 'timed-out') await this.close();
    return ran.kind === 'timed-out' && limitMs === leftMs ? { kind: 'no-time' } : ran;
  }

  async close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.close();
  }

  async #fresh(): Promise<SandboxedModel> {
    const limits = { memoryBytes: MEMORY_LIMIT_BYTES, loadMs: LOAD_LIMIT_MS };
    const load = await this.#ports.sandbox.load(this.#path, limits);
    if (load.kind === 'timed-out') {
      throw new Failure('validation-timeout', { detail: `loading took more than ${LOAD_LIMIT_MS / SECOND_MS} s` });
    }
    if (load.kind === 'crashed') throw new Failure('model-invalid', { detail: 'loading it ended the process' });
    if (load.kind === 'refused') throw new Failure('model-invalid', { detail: load.reason });
    this.#model = load.model;
    this.#peakBytes = Math.max(this.#peakBytes, load.model.peakBytes());
    return load.model;
  }
}
