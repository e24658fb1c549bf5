import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { compareGolden } from '../../core/models/compare-golden.ts';
import type { GoldenPair } from '../../core/models/golden.ts';
import type { Manifest } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { Validation } from '../../core/models/version.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ModelChecker } from '../../core/ports/model-checker.ts';
import { GIB, SECOND_MS } from '../../core/units.ts';
import type { ModelRunner, RunAnswer } from './model-runner.ts';
import { smallestInputs } from './smallest-inputs.ts';

/** For all golden pairs and measurements together, once the model is loaded. */
const RUNS_LIMIT_MS = 30 * SECOND_MS;
const LOAD_LIMIT_MS = 60 * SECOND_MS;
/** A model that needs more cannot be served beside others on one machine. */
const MEMORY_LIMIT_BYTES = 8 * GIB;
const WATCH_MS = 50;
/** The median of nine runs after two to warm up. */
const WARM_UP_RUNS = 2;
const MEASURED_RUNS = 9;

type Checked = { readonly signature: Signature; readonly validation: Validation };

/** Checks models in processes that `spawn` starts and that are killed at the end, whatever the model did. */
export function createModelChecker(clock: Clock, spawn: () => ModelRunner): ModelChecker {
  return {
    async check(modelPath, manifest, golden) {
      // Alone in a folder: weights that the file says lie beside it are not there, and no other model's file is within reach.
      const folder = await mkdtemp(join(tmpdir(), 'sluice-check-'));
      const runner = spawn();
      const watched = new AbortController();
      const watching = watch(runner, clock, watched.signal);
      try {
        const path = join(folder, 'model.onnx');
        await copyFile(modelPath, path);
        return await new Check(runner, clock, manifest).run(path, golden);
      } finally {
        watched.abort();
        runner.kill();
        await watching;
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function watch(runner: ModelRunner, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    runner.killIfOverdue(clock.nowMs());
    await clock.sleep(WATCH_MS, signal).catch(() => {});
  }
}

const HANDLE = 1;

class Check {
  readonly #runner: ModelRunner;
  readonly #clock: Clock;
  readonly #manifest: Manifest;
  #deadlineMs = 0;

  constructor(runner: ModelRunner, clock: Clock, manifest: Manifest) {
    this.#runner = runner;
    this.#clock = clock;
    this.#manifest = manifest;
  }

  async run(path: string, golden: readonly GoldenPair[]): Promise<Checked> {
    const loaded = await this.#runner.load(HANDLE, path, this.#clock.nowMs() + LOAD_LIMIT_MS);
    if (loaded.kind === 'timed-out') throw new Failure('validation-timeout', { detail: 'while loading' });
    if (loaded.kind === 'crashed') throw new Failure('model-invalid', { detail: 'loading it ended the process' });
    if (loaded.kind === 'refused')
      throw new Failure('model-invalid', { detail: loaded.reason.replaceAll(path, 'the file') });
    const { signature } = loaded;
    refuseUnservable(signature);
    this.#deadlineMs = this.#clock.nowMs() + RUNS_LIMIT_MS;
    const largestDifference = await this.#compare(signature, golden);
    const rowMs = await this.#measure(golden[0]?.inputs ?? smallestInputs(signature, this.#manifest));
    const memoryBytes = Math.max(0, this.#runner.residentBytes() - loaded.beforeBytes);
    if (memoryBytes > MEMORY_LIMIT_BYTES) {
      throw new Failure('model-invalid', { detail: `needs ${memoryBytes} bytes of memory`, limit: MEMORY_LIMIT_BYTES });
    }
    const { loadMs } = loaded;
    return { signature, validation: { goldenPairs: golden.length, largestDifference, loadMs, rowMs, memoryBytes } };
  }

  async #compare(signature: Signature, golden: readonly GoldenPair[]): Promise<number> {
    let largestDifference = 0;
    for (const [at, { inputs, outputs }] of golden.entries()) {
      const place = `golden pair ${at + 1}`;
      refuseUnfitting(signature, inputs, place);
      const answer = await this.#runOnce(inputs, place);
      const comparison = compareGolden(outputs, answer.outputs, this.#manifest.tolerance);
      if (comparison.kind === 'differs') {
        throw new Failure('golden-mismatch', { detail: `${place}: ${comparison.reason}`, pair: at + 1 });
      }
      largestDifference = Math.max(largestDifference, comparison.largestDifference);
    }
    return largestDifference;
  }

  /** Milliseconds of a row: the median over runs of one request, divided by its rows. */
  async #measure(inputs: readonly Tensor[]): Promise<number> {
    const times: number[] = [];
    for (let run = 0; run < WARM_UP_RUNS + MEASURED_RUNS; run += 1) {
      const { computeMs } = await this.#runOnce(inputs, 'a measuring run');
      if (run >= WARM_UP_RUNS) times.push(computeMs);
    }
    times.sort((a, b) => a - b);
    const rows = Math.max(1, inputs[0]?.shape[0] ?? 1);
    return times[Math.floor(times.length / 2)]! / rows;
  }

  async #runOnce(inputs: readonly Tensor[], place: string): Promise<Extract<RunAnswer, { kind: 'done' }>> {
    const deadlineMs = Math.min(this.#deadlineMs, this.#clock.nowMs() + this.#manifest.timeoutMs);
    const answer = await this.#runner.run(HANDLE, inputs, deadlineMs);
    if (answer.kind === 'done') return answer;
    if (answer.kind === 'timed-out') throw new Failure('validation-timeout', { detail: `in ${place}` });
    const reason = answer.kind === 'refused' ? answer.reason : 'the process ended';
    throw new Failure('model-invalid', { detail: `${place}: ${reason}` });
  }
}

/** onnxruntime-node refuses FP16 data as input on Node 24, whatever is sent. */
function refuseUnservable(signature: Signature): void {
  const half = signature.inputs.filter((input) => input.datatype === 'FP16').map((input) => input.name);
  if (half.length === 0) return;
  throw new Failure('model-invalid', {
    detail: `FP16 inputs cannot be fed by this runtime: ${half.join(', ')}. Put a Cast from FP32 before each of them.`,
    inputs: half,
  });
}

function refuseUnfitting(signature: Signature, inputs: readonly Tensor[], place: string): void {
  for (const { name, datatype } of signature.inputs) {
    const input = inputs.find((candidate) => candidate.name === name);
    const problem =
      input === undefined ? 'is missing' : input.datatype === datatype ? undefined : `must be ${datatype}`;
    if (problem !== undefined)
      throw new Failure('golden-invalid', { detail: `${place}: the input ${name} ${problem}` });
  }
  const unknown = inputs.find((input) => !signature.inputs.some(({ name }) => name === input.name));
  if (unknown !== undefined) {
    throw new Failure('golden-invalid', { detail: `${place}: the model has no input ${unknown.name}` });
  }
}
