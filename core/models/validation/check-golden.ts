import { asFailure, Failure } from '../../failure.ts';
import type { Tensor } from '../../inference/tensor.ts';
import { SECOND_MS } from '../../units.ts';
import { type Comparison, compareGolden } from '../compare-golden.ts';
import type { GoldenPair } from '../golden.ts';
import { type Examination, placeOf } from './examination.ts';
import type { Finding, Say } from './report-writer.ts';

/** A third of the minute that all runs have: a thousand pairs of 20 ms each. */
const GOLDEN_LIMIT_MS = 20 * SECOND_MS;
const SAY_EVERY_MS = 500;
/** Up to here the difference may be another runtime's rounding; beyond it is another model's. */
const NEARLY = 10;

type Differing = { readonly pair: number; readonly comparison: Extract<Comparison, { kind: 'differs' }> };

/**
 * Every golden pair's outputs within the manifest's tolerance. Throws `golden-mismatch` once all were compared,
 * `golden-invalid` for a pair that callers could not send, `model-invalid`, `model-crashes` or `validation-timeout` for one that the
 * model does not answer. Never quotes a value of a pair.
 */
export async function checkGolden(
  examination: Examination,
  golden: readonly GoldenPair[],
  say: Say,
): Promise<{ readonly finding: Finding; readonly largestDifference: number }> {
  if (golden.length === 0) {
    const finding: Finding = {
      outcome: 'warning',
      detail: 'no golden pairs: nothing shows that the answers are right',
      advice: 'Add golden.jsonl with a few inputs and the outputs that the model gave where it was trained.',
    };
    return { finding, largestDifference: 0 };
  }
  const differing: Differing[] = [];
  let largestDifference = 0;
  const untilMs = examination.model.nowMs() + GOLDEN_LIMIT_MS;
  let saidMs = examination.model.nowMs();
  for (const [at, pair] of golden.entries()) {
    const nowMs = examination.model.nowMs();
    if (nowMs > untilMs) throw tooSlow(at, golden.length);
    if (nowMs - saidMs > SAY_EVERY_MS) {
      say(`comparing golden pair ${at + 1} of ${golden.length}`);
      saidMs = nowMs;
    }
    const outputs = await answerTo(examination, pair, at, golden.length);
    const comparison = compareGolden(pair.outputs, outputs, examination.manifest.tolerance);
    if (comparison.kind === 'differs') differing.push({ pair: at + 1, comparison });
    else largestDifference = Math.max(largestDifference, comparison.largestDifference);
  }
  if (differing.length > 0) throw mismatch(differing, golden.length);
  return { finding: { outcome: 'passed', detail: agreement(golden.length, largestDifference) }, largestDifference };
}

async function answerTo(
  { model, feed }: Examination,
  pair: GoldenPair,
  at: number,
  count: number,
): Promise<readonly Tensor[]> {
  const ran = await model.run(fed(feed, pair, at));
  const place = `golden pair ${at + 1}`;
  switch (ran.kind) {
    case 'done':
      return ran.outputs;
    case 'refused':
      throw new Failure('model-invalid', {
        detail: `${place}: the model refuses this input (${placeOf(ran.reason)})`,
        advice: 'Check that the pair was made with this model: ids, shapes and types that it takes.',
      });
    case 'crashed':
      throw new Failure('model-crashes', { detail: `${place} ends the process that runs it`, pair: at + 1 });
    case 'timed-out':
      throw new Failure('validation-timeout', {
        detail: `${place} ran longer than timeoutMs, ${model.timeoutMs} ms`,
        advice:
          'Raise `timeoutMs` in the manifest if the model is meant to take so long; else it may loop without end.',
      });
    case 'no-time':
      throw tooSlow(at, count);
  }
}

function fed(feed: Examination['feed'], { inputs }: GoldenPair, at: number): readonly Tensor[] {
  try {
    return feed(inputs);
  } catch (error) {
    const { code, facts, message } = asFailure(error);
    if (code === 'internal') throw error;
    const where = facts.field === undefined ? '' : ` (${facts.field})`;
    throw new Failure(
      'golden-invalid',
      {
        detail: `golden pair ${at + 1} could not be sent by a caller: ${code}, ${message}${where}`,
        pair: at + 1,
        advice: 'Make the pair fit the signature and the rules of the manifest, or change the rules.',
      },
      { cause: error },
    );
  }
}

function tooSlow(compared: number, count: number): Failure {
  return new Failure('validation-timeout', {
    detail: `${compared} of ${count} golden pairs were compared in ${GOLDEN_LIMIT_MS / SECOND_MS} s`,
    advice: 'Keep fewer or smaller golden pairs, or make the model faster.',
  });
}

function mismatch(differing: readonly Differing[], count: number): Failure {
  const times = ({ comparison }: Differing) => comparison.timesTolerance ?? Number.POSITIVE_INFINITY;
  const worst = differing.reduce((a, b) => (times(b) > times(a) ? b : a));
  const by = worst.comparison.timesTolerance;
  const howFar =
    by === undefined
      ? ''
      : `, ${by < 10 ? by.toPrecision(2) : Math.round(by).toLocaleString('en-US')} times the tolerance`;
  return new Failure('golden-mismatch', {
    detail: `${differing.length} of ${count} golden pairs differ; the worst is pair ${worst.pair}: ${worst.comparison.reason}${howFar}`,
    pair: worst.pair,
    failed: differing.length,
    advice:
      by !== undefined && by <= NEARLY
        ? 'So small a difference can come from another runtime or precision: widen `tolerance`, or export the pairs again with onnxruntime.'
        : 'These are answers of another model, or to inputs prepared in another way: export the golden pairs again with this file.',
  });
}

function agreement(count: number, largestDifference: number): string {
  const pairs = count === 1 ? 'the golden pair agrees' : `all ${count} golden pairs agree`;
  return largestDifference === 0
    ? `${pairs} exactly`
    : `${pairs}; largest difference ${largestDifference.toPrecision(2)}`;
}
