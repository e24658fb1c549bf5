import { Failure } from '../../failure.ts';
import type { InferRequest } from '../../inference/request.ts';
import type { Tensor } from '../../inference/tensor.ts';
import { compileTextValidator } from '../../inference/tokenize.ts';
import { compileValidator, type ValidatedInputs } from '../../inference/validate-inputs.ts';
import type { Platform } from '../../ports/platform.ts';
import type { SandboxedModel } from '../../ports/sandbox.ts';
import { GIB } from '../../units.ts';
import type { ModelVersion } from '../version.ts';
import type { Answered } from './tally.ts';

/** As validation had it, which these versions have passed. */
const MEMORY_BYTES = 8 * GIB;
/** Processes that a version may end: each takes a load, which is a fifth of a second for a model of 90 MB. */
const MOST_CRASHES = 10;

export type SidePorts = Pick<Platform, 'artifacts' | 'sandbox' | 'tokenizers' | 'clock'>;

/** `stop`: nothing more can be asked of this version. */
export type SideAnswer = Answered | { readonly kind: 'stop'; readonly why: 'time' | 'crashes' };

/** One version of a replay, in a process of its own, until `endMs`. */
export class Side {
  readonly #ports: SidePorts;
  readonly #version: ModelVersion;
  readonly #endMs: number;
  readonly #prepare: Prepare;
  #model: SandboxedModel | undefined;
  #crashes = 0;
  #isCold = true;

  private constructor(ports: SidePorts, version: ModelVersion, prepare: Prepare, endMs: number) {
    this.#ports = ports;
    this.#version = version;
    this.#prepare = prepare;
    this.#endMs = endMs;
  }

  /** `asGraph`: inputs are as the graph takes them, and not as callers send them. Throws as tokenizers and artifacts do. */
  static async open(ports: SidePorts, version: ModelVersion, asGraph: boolean, endMs: number): Promise<Side> {
    return new Side(ports, version, await preparation(ports, version, asGraph), endMs);
  }

  /** False if there was no time. Throws `model-load-failed`. */
  async load(): Promise<boolean> {
    const { model, version, modelDigest } = this.#version;
    const loadMs = this.#endMs - this.#ports.clock.nowMs();
    if (loadMs <= 0) return false;
    const path = await this.#ports.artifacts.fetch(modelDigest);
    const load = await this.#ports.sandbox.load(path, { memoryBytes: MEMORY_BYTES, loadMs });
    if (load.kind === 'timed-out') return false;
    if (load.kind !== 'loaded') throw new Failure('model-load-failed', { model, version });
    this.#model = load.model;
    this.#isCold = true;
    return true;
  }

  /** An input that the version would not accept is `refused`. */
  async run(inputs: readonly Tensor[]): Promise<SideAnswer> {
    if (this.#model === undefined) {
      if (this.#crashes > MOST_CRASHES) return { kind: 'stop', why: 'crashes' };
      if (!(await this.load())) return { kind: 'stop', why: 'time' };
    }
    const prepared = await this.#tryPrepare(inputs);
    if (prepared === undefined) return { kind: 'refused', reason: 'not accepted', computeMs: 0, cold: true };
    const leftMs = this.#endMs - this.#ports.clock.nowMs();
    if (leftMs <= 0) return { kind: 'stop', why: 'time' };
    const { timeoutMs } = this.#version.manifest;
    const ran = await this.#model!.run(prepared, Math.min(timeoutMs, leftMs));
    const cold = this.#isCold;
    this.#isCold = false;
    if (ran.kind === 'crashed' || ran.kind === 'timed-out') {
      await this.close();
      // Not the model's own limit: it says nothing of the version.
      if (ran.kind === 'timed-out' && leftMs < timeoutMs) return { kind: 'stop', why: 'time' };
      this.#crashes += 1;
    }
    return { ...ran, cold };
  }

  async close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.close();
  }

  async #tryPrepare(inputs: readonly Tensor[]): Promise<readonly Tensor[] | undefined> {
    try {
      return (await this.#prepare(requestOf(inputs))).inputs;
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }
}

type Prepare = (request: InferRequest) => Pick<ValidatedInputs, 'inputs'> | Promise<Pick<ValidatedInputs, 'inputs'>>;

/** What becomes of an input before it is run, as in serving. What was tokenized when it was captured is taken as it is. */
async function preparation(ports: SidePorts, version: ModelVersion, asGraph: boolean): Promise<Prepare> {
  const { tokenizerDigest } = version;
  if (tokenizerDigest === undefined) return compileValidator(version);
  if (asGraph) return ({ inputs }) => ({ inputs });
  return compileTextValidator(version, await ports.tokenizers.open(tokenizerDigest), ports.clock);
}

function requestOf(inputs: readonly Tensor[]): InferRequest {
  return { clientId: undefined, inputs, outputs: undefined, binaryByDefault: false, timeoutMs: undefined };
}
