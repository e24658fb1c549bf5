import type { Tensor } from '../../core/inference/tensor.ts';
import { parseManifest } from '../../core/models/check-manifest.ts';
import type { GoldenPair } from '../../core/models/golden.ts';
import type { Check } from '../../core/models/report.ts';
import type { Signature } from '../../core/models/signature.ts';
import { type Validated, validateModel } from '../../core/models/validate.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Sandbox, SandboxLoad } from '../../core/ports/sandbox.ts';
import type { Tokenizer } from '../../core/ports/tokenizers.ts';
import { ROW_SIGNATURE } from './jobs.ts';

/** How a run of a fake model ends, where it is not answered. */
export type Ending = 'refuses' | 'crashes' | 'hangs';

export type FakeModel = {
  /** Default: one FP32 `x` [batch, 1] to one FP32 `y` [batch, 1]. */
  readonly signature?: Signature;
  readonly answer: (inputs: readonly Tensor[]) => readonly Tensor[] | Ending;
  /** Compute of a run. Default 1. */
  readonly runMs?: (inputs: readonly Tensor[]) => number;
  readonly load?: Exclude<SandboxLoad, { kind: 'loaded' }>;
  readonly peakBytes?: number;
};

type Given = {
  readonly model: FakeModel;
  readonly manifest?: object;
  readonly golden?: readonly GoldenPair[];
  readonly tokenizer?: Tokenizer;
};

export type FakeValidation = {
  readonly validated: Validated | undefined;
  readonly failure: unknown;
  /** As last told. */
  readonly checks: readonly Check[];
  readonly told: readonly string[];
  /** Inputs of all runs, in order. */
  readonly runs: readonly (readonly Tensor[])[];
  readonly loads: number;
  /** Models that were loaded and not closed. */
  readonly open: number;
  readonly discarded: number;
};

/** Validates a model that is a function, in a time that only its runs pass. */
export async function validateFake({ model, manifest = {}, golden = [], tokenizer }: Given): Promise<FakeValidation> {
  const clock = new RunClock();
  const seen = { runs: [] as (readonly Tensor[])[], loads: 0, open: 0, discarded: 0, told: [] as string[] };
  let checks: readonly Check[] = [];
  const graphs = {
    prepare: async (path: string) => ({
      path,
      repairs: [],
      summary: 'a function',
      discard: async () => {
        seen.discarded += 1;
      },
    }),
  };
  const sandbox = fakeSandbox(model, clock, seen);
  const subject = {
    path: 'f',
    manifest: parseManifest({ name: 'm', ...manifest }),
    golden,
    tokenizer,
    usdPerComputeHour: 3.6,
  };
  const onProgress = (found: readonly Check[], doing: string) => {
    checks = found;
    seen.told.push(doing);
  };
  let validated: Validated | undefined;
  let failure: unknown;
  try {
    validated = await validateModel({ sandbox, graphs, clock }, subject, onProgress);
  } catch (error) {
    failure = error;
  }
  return { validated, failure, checks, ...seen };
}

/** What one check found, by name. */
export function checkOf({ checks }: Pick<FakeValidation, 'checks'>, name: Check['check']): Check | undefined {
  return checks.find(({ check }) => check === name);
}

type Seen = { runs: (readonly Tensor[])[]; loads: number; open: number };

function fakeSandbox(model: FakeModel, clock: RunClock, seen: Seen): Sandbox {
  return {
    async load() {
      seen.loads += 1;
      if (model.load !== undefined) return model.load;
      seen.open += 1;
      let isOpen = true;
      const fake = {
        signature: model.signature ?? ROW_SIGNATURE,
        loadMs: 5,
        run: async (inputs: readonly Tensor[], limitMs: number) => {
          seen.runs.push(inputs);
          const answer = model.answer(inputs);
          const computeMs = answer === 'hangs' ? limitMs : (model.runMs?.(inputs) ?? 1);
          clock.pass(Math.min(computeMs, limitMs));
          if (answer === 'crashes') return { kind: 'crashed', computeMs } as const;
          if (answer === 'refuses') return { kind: 'refused', reason: REFUSAL, computeMs } as const;
          if (answer === 'hangs' || computeMs > limitMs) return { kind: 'timed-out', computeMs } as const;
          return { kind: 'done', outputs: answer, computeMs } as const;
        },
        peakBytes: () => model.peakBytes ?? 1_000_000,
        close: async () => {
          if (isOpen) seen.open -= 1;
          isOpen = false;
        },
      };
      return { kind: 'loaded', model: fake };
    },
  };
}

/** What onnxruntime says: it quotes a value. */
const REFUSAL =
  "Non-zero status code returned while running Gather node. Name:'lookup' Status Message: idx=31337 is out of bounds";

/** Time that passes with runs. */
class RunClock implements Clock {
  #nowMs = 1_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  async sleep(ms: number): Promise<void> {
    this.pass(ms);
  }
}

/** An FP32 tensor. */
export function fp32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, data: Float32Array.from(values) };
}

export function int64(name: string, shape: readonly number[], values: readonly (number | bigint)[]): Tensor {
  return { name, datatype: 'INT64', shape, data: BigInt64Array.from(values, BigInt) };
}

/** A model of rows: `y` [batch, 1] is what `answer` makes of each row's elements of the first input. */
export function perRow(
  answer: (row: readonly number[], rows: readonly (readonly number[])[]) => number,
): FakeModel['answer'] {
  return ([input]) => {
    const rows = rowsIn(input!);
    return [
      fp32(
        'y',
        [rows.length, 1],
        rows.map((row) => answer(row, rows)),
      ),
    ];
  };
}

/** Elements of each row as numbers. */
export function rowsIn({ shape, data }: Tensor): number[][] {
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  return Array.from({ length: shape[0]! }, (_, row) =>
    Array.from({ length: width }, (__, at) => Number(data[row * width + at])),
  );
}
