import { Failure } from '../../failure.ts';
import { type BatchPlan, planBatches } from '../../inference/batch-plan.ts';
import { mergeInputs } from '../../inference/merge-batch.ts';
import { hasRowForEach, splitOutputs } from '../../inference/split-batch.ts';
import type { Tensor } from '../../inference/tensor.ts';
import { compileTokenizing } from '../../inference/tokenize.ts';
import { compileValidator } from '../../inference/validate-inputs.ts';
import type { Tokenizer } from '../../ports/tokenizers.ts';
import type { Manifest } from '../manifest.ts';
import { isBatchable, type Signature } from '../signature.ts';
import type { ModelUnderTest, Ran } from './model-under-test.ts';
import type { Row } from './rows.ts';

/** A loaded model with all that its checks need to know of it. */
export type Examination = {
  readonly model: ModelUnderTest;
  readonly manifest: Manifest;
  /** What callers send and get. */
  readonly signature: Signature;
  /** What the graph takes and gives: another only where a tokenizer makes it so. */
  readonly graph: Signature;
  /** How runs would be formed if rows proved independent of each other. */
  readonly plan: BatchPlan;
  /** Throws what the gateway would answer to these inputs. */
  readonly admit: (sent: readonly Tensor[]) => void;
  /** What callers send as the graph takes it; throws what the gateway would answer. */
  readonly feed: (sent: readonly Tensor[]) => readonly Tensor[];
  /** Longest free dimension that callers can bring about. */
  readonly maxLength: number;
};

type Read = Pick<Examination, 'model' | 'manifest' | 'signature' | 'graph'> & {
  readonly tokenizer: Tokenizer | undefined;
};

export function examine({ model, manifest, signature, graph, tokenizer }: Read): Examination {
  const version = { model: manifest.name, version: '1', manifest, signature, graphSignature: graph };
  const validate = compileValidator(version);
  const admit = (sent: readonly Tensor[]) => {
    validate({ inputs: sent, clientId: undefined, outputs: undefined, binaryByDefault: false, timeoutMs: undefined });
  };
  const tokenize = tokenizer === undefined ? undefined : compileTokenizing(manifest, graph, tokenizer);
  return {
    model,
    manifest,
    signature,
    graph,
    plan: planBatches({ ...version, validation: UNMEASURED }),
    admit,
    feed: (sent) => {
      admit(sent);
      return tokenize === undefined ? sent : tokenize(sent);
    },
    maxLength: Math.min(manifest.limits.maxLength, manifest.tokenizer?.maxTokens ?? Number.POSITIVE_INFINITY),
  };
}

/** Without bounds of its own: what validation is about to find. */
const UNMEASURED = {
  batching: { maxRows: Number.POSITIVE_INFINITY, maxBatchMs: Number.POSITIVE_INFINITY },
  batchMates: { verdict: 'independent', largestDifference: 0 },
} as const;

/** True if rows of several requests may share a run, as far as graph and manifest say. */
export function mayShareRuns({ graph, plan }: Pick<Examination, 'graph' | 'plan'>): boolean {
  return isBatchable(graph) && !plan.alone;
}

export type RanTogether =
  /** The answers of each row, in order. */
  | { readonly kind: 'done'; readonly answers: readonly (readonly Tensor[])[]; readonly computeMs: number }
  /** The model did not give a row for each row. */
  | { readonly kind: 'unsplittable' }
  | Exclude<Ran, { kind: 'done' }>;

/** Runs rows as the worker does: merged, padded where the manifest says so, and taken apart again. */
export async function runTogether(
  { model, plan }: Examination,
  rows: readonly Row[],
  mostMs?: number,
): Promise<RanTogether> {
  const jobs = rows.map((inputs) => ({ inputs, rows: 1, outputs: undefined }));
  const ran = await model.run(mergeInputs(plan, jobs), mostMs);
  if (ran.kind !== 'done') return ran;
  if (!hasRowForEach(ran.outputs, jobs)) return { kind: 'unsplittable' };
  return { kind: 'done', answers: splitOutputs(plan, ran.outputs, jobs), computeMs: ran.computeMs };
}

/** Where a run was refused, without the values that runtimes quote: the operator's kind and node name. */
export function placeOf(reason: string): string {
  const place = /running (\w+) node\. Name:'([^']*)'/.exec(reason);
  return place === null ? 'the runtime' : `${place[1]}${place[2] === '' ? '' : ` node ${place[2]}`}`;
}

/**
 * Throws `model-crashes` or `validation-timeout` for a run that callers can bring about, as `what` says, and that ended the process
 * or did not end: `rule` would exclude it.
 */
export function refuseDeadly(
  { model }: Pick<Examination, 'model'>,
  { kind }: Pick<Ran | RanTogether, 'kind'>,
  what: string,
  rule: string,
): void {
  const advice = `Set \`${rule}\` in the manifest so that it is excluded, or mend the model.`;
  if (kind === 'crashed') {
    throw new Failure('model-crashes', {
      detail: `${what} ends the process, and the manifest allows it`,
      rule,
      advice,
    });
  }
  if (kind === 'timed-out') {
    const detail = `${what} runs longer than timeoutMs, ${model.timeoutMs} ms, and the manifest allows it`;
    throw new Failure('validation-timeout', { detail, rule, advice });
  }
}
