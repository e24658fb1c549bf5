import type { LoadAnswer, ModelRunner, RunAnswer } from '../../adapters/onnx/model-runner.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { ROW_SIGNATURE } from './jobs.ts';

/** How a run or a load ends. */
export type Behaviour = 'answers' | 'refuses' | 'crashes' | 'hangs';

export type FakeRun = { readonly path: string; readonly inputs: readonly Tensor[]; readonly runner: number };

/** Runners without processes: what a file does is scripted, and every run is kept to look at. */
export class FakeRunners {
  readonly runs: FakeRun[] = [];
  readonly loads: { readonly path: string; readonly runner: number }[] = [];
  readonly runners: FakeRunner[] = [];
  /** Compute of one run, real time. */
  runMs: (inputs: readonly Tensor[]) => number = () => 0;
  onRun: (path: string, inputs: readonly Tensor[]) => Behaviour = () => 'answers';
  onLoad: (path: string) => Behaviour = () => 'answers';
  /** The model: by default every output row is its input row plus 1. */
  compute: (inputs: readonly Tensor[]) => Tensor[] = plusOne;
  residentBytes: (paths: readonly string[]) => number = () => 100_000_000;

  spawn = (clock: Clock): ModelRunner => {
    const runner = new FakeRunner(this, clock, this.runners.length);
    this.runners.push(runner);
    return runner;
  };
}

export class FakeRunner implements ModelRunner {
  readonly ended: Promise<void>;
  readonly number: number;
  readonly #script: FakeRunners;
  readonly #clock: Clock;
  readonly #paths = new Map<number, string>();
  #resolveEnded: () => void = () => {};
  #alive = true;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #lose: ((how: 'crashed' | 'timed-out') => void) | undefined;

  constructor(script: FakeRunners, clock: Clock, number: number) {
    this.#script = script;
    this.#clock = clock;
    this.number = number;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get paths(): string[] {
    return [...this.#paths.values()];
  }

  async load(handle: number, path: string, deadlineMs: number): Promise<LoadAnswer> {
    this.#script.loads.push({ path, runner: this.number });
    const behaviour = this.#script.onLoad(path);
    if (behaviour === 'refuses') return { kind: 'refused', reason: 'not a model' };
    const lost = await this.#act(behaviour, 1, deadlineMs);
    if (lost !== undefined) return { kind: lost };
    this.#paths.set(handle, path);
    return { kind: 'loaded', signature: ROW_SIGNATURE, loadMs: 1, beforeBytes: 0, residentBytes: this.residentBytes() };
  }

  async run(handle: number, inputs: readonly Tensor[], deadlineMs: number): Promise<RunAnswer> {
    const path = this.#paths.get(handle);
    if (path === undefined) return { kind: 'crashed', computeMs: 0 };
    this.#script.runs.push({ path, inputs, runner: this.number });
    const behaviour = this.#script.onRun(path, inputs);
    const computeMs = this.#script.runMs(inputs);
    if (behaviour === 'refuses') return { kind: 'refused', reason: `idx=${inputs[0]?.data[0]}`, computeMs };
    const lost = await this.#act(behaviour, computeMs, deadlineMs);
    if (lost !== undefined) return { kind: lost, computeMs };
    return { kind: 'done', outputs: this.#script.compute(inputs), computeMs: Math.max(computeMs, 0.01) };
  }

  killIfOverdue(nowMs: number): void {
    if (nowMs > this.#deadlineMs) this.#end('timed-out');
  }

  residentBytes(): number {
    return this.#script.residentBytes(this.paths);
  }

  peakBytes(): number {
    return this.residentBytes();
  }

  alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#end('crashed');
  }

  async #act(behaviour: Behaviour, ms: number, deadlineMs: number): Promise<'crashed' | 'timed-out' | undefined> {
    if (!this.#alive) return 'crashed';
    this.#deadlineMs = deadlineMs;
    const lost = new Promise<'crashed' | 'timed-out'>((resolve) => {
      this.#lose = resolve;
    });
    if (behaviour === 'crashes') this.kill();
    const done = behaviour === 'hangs' ? new Promise<undefined>(() => {}) : this.#clock.sleep(ms).then(() => undefined);
    const how = await Promise.race([lost, done]);
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return how;
  }

  #end(how: 'crashed' | 'timed-out'): void {
    this.#alive = false;
    this.#lose?.(how);
    this.#resolveEnded();
  }
}

function plusOne(inputs: readonly Tensor[]): Tensor[] {
  const [x] = inputs;
  return [{ name: 'y', datatype: 'FP32', shape: x!.shape, data: (x!.data as Float32Array).map((value) => value + 1) }];
}
