import { readFile } from 'node:fs/promises';
import type { LoadAnswer, ModelRunner, RunAnswer } from '../../../adapters/onnx/model-runner.ts';
import type { Tensor } from '../../../core/inference/tensor.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Sandbox } from '../../../core/ports/sandbox.ts';
import { ROW_SIGNATURE } from '../jobs.ts';

/*
 * A model whose every answer is known without running it: a row x becomes 3x + term, and the file is the term. Some rows
 * are refused, kill the runner or take their time.
 */
const REFUSED_BELOW = 0;
export const SLOW_FROM = 800_000;
export const CRASHING_FROM = 900_000;
/** A slow row's run, unless the story says otherwise. */
export const SLOW_MS = 60;
const COMPUTE_MS_PER_ROW = 2;

export type Expected =
  | { readonly kind: 'values'; readonly values: readonly number[] }
  | { readonly kind: 'failed'; readonly code: string };

export function expectedOf(term: number, x: number, rows: number): Expected {
  if (x < REFUSED_BELOW) return { kind: 'failed', code: 'prediction-failed' };
  if (x >= CRASHING_FROM) return { kind: 'failed', code: 'runner-crashed' };
  return { kind: 'values', values: Array.from({ length: rows }, (_, row) => 3 * (x + row) + term) };
}

export function modelFile(term: number): Uint8Array {
  return new TextEncoder().encode(`term ${term}\n`);
}

export function manifestOf(model: string): object {
  // The longest timeout, as the clock of a story jumps; and a breaker that never opens: an answer depends on nothing before it.
  return { name: model, timeoutMs: 600_000, limits: { maxRows: 256 }, breaker: { errorShare: 1 } };
}

/**
 * Validates every file that says its term: here rows are never refused, slow or deadly, or no story could push a model. More
 * rows cost next to nothing, so that it is batched.
 */
export function knownSandbox(): Sandbox {
  return {
    async load(modelPath) {
      const term = await termOf(modelPath);
      const run = async ([x]: readonly Tensor[]) => {
        const data = (x!.data as Float32Array).map((value) => 3 * value + term);
        const outputs: Tensor[] = [{ name: 'y', datatype: 'FP32', shape: x!.shape, data }];
        return { kind: 'done', outputs, computeMs: 1 + data.length / 100 } as const;
      };
      const model = { signature: ROW_SIGNATURE, loadMs: 1, run, peakBytes: () => 1000, close: async () => {} };
      return { kind: 'loaded', model };
    },
  };
}

/** A runner in this process. */
export class KnownModelRunner implements ModelRunner {
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  readonly #slowMs: number;
  readonly #terms = new Map<number, number>();
  #resolveEnded: () => void = () => {};
  #isAlive = true;

  constructor(clock: Clock, slowMs: number) {
    this.#clock = clock;
    this.#slowMs = slowMs;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  async load(handle: number, path: string): Promise<LoadAnswer> {
    this.#terms.set(handle, await termOf(path));
    return { kind: 'loaded', signature: ROW_SIGNATURE, loadMs: 1, beforeBytes: 0, residentBytes: 1000 };
  }

  async run(handle: number, inputs: readonly Tensor[]): Promise<RunAnswer> {
    const term = this.#terms.get(handle);
    const { data, shape } = inputs[0]!;
    const rows = data as Float32Array;
    const computeMs = COMPUTE_MS_PER_ROW * rows.length;
    const isSlow = rows.some((x) => x >= SLOW_FROM && x < CRASHING_FROM);
    await this.#clock.sleep(isSlow ? this.#slowMs : 0);
    if (!this.#isAlive || term === undefined) return { kind: 'crashed', computeMs };
    if (rows.some((x) => x >= CRASHING_FROM)) {
      this.kill();
      return { kind: 'crashed', computeMs };
    }
    if (rows.some((x) => x < REFUSED_BELOW)) return { kind: 'refused', reason: 'below', computeMs };
    return {
      kind: 'done',
      outputs: [{ name: 'y', datatype: 'FP32', shape, data: rows.map((x) => 3 * x + term) }],
      computeMs,
    };
  }

  killIfOverdue(): void {}

  residentBytes(): number {
    return 1000;
  }

  peakBytes(): number {
    return this.residentBytes();
  }

  alive(): boolean {
    return this.#isAlive;
  }

  kill(): void {
    this.#isAlive = false;
    this.#resolveEnded();
  }
}

async function termOf(path: string): Promise<number> {
  const term = /^term (\d+)\n$/.exec(await readFile(path, 'utf8'))?.[1];
  if (term === undefined) throw new Error('not a file of this model');
  return Number(term);
}
