import { Failure } from '../../failure.ts';
import type { Tensor } from '../../inference/tensor.ts';
import { SECOND_MS } from '../../units.ts';
import type { GoldenPair } from '../golden.ts';
import { type Examination, placeOf } from './examination.ts';
import { generateRow } from './generate-row.ts';
import { isFloat, isIdentical } from './outputs.ts';
import type { Finding } from './report-writer.ts';
import { fitRow, keyOf, type Row, rowLength, splitRows } from './rows.ts';

/** A row that the model answered alone. */
export type Sample = {
  /** As a caller sends it. */
  readonly sent: Row;
  /** As the graph takes it; all samples have one shape. */
  readonly fed: Row;
  readonly outputs: readonly Tensor[];
  readonly isGolden: boolean;
};

/** Two answers may be equal by chance or by sense; three are a sign. */
const LEAST_INPUTS = 3;
const MOST_GOLDEN_ROWS = 12;
const GENERATED_ROWS = 6;
/** Lengths of free dimensions to try where no golden pair shows one: a sentence's, then what else models are built for. */
const LENGTHS = [32, 1, 8, 4, 16, 64, 128, 224, 256, 512];
const LIMIT_MS = 8 * SECOND_MS;

/**
 * Finds inputs that the model answers: golden rows and generated ones, all of one shape. Throws `model-constant` if at least
 * three different ones all get the same answer (unless the manifest says that this may be), `model-invalid` if the
 * model answers none, `model-crashes` or `validation-timeout` if one that the manifest allows ends or blocks it.
 */
export async function checkConstant(
  examination: Examination,
  golden: readonly GoldenPair[],
): Promise<{ readonly finding: Finding; readonly samples: readonly Sample[] }> {
  const samples: Sample[] = [];
  let reason = 'no input that the manifest allows could be made';
  let generated = 0;
  const seen = new Set<string>();
  const untilMs = examination.model.nowMs() + LIMIT_MS;
  for (const { sent, fed: own, isGolden } of candidates(examination, golden)) {
    if (generated === GENERATED_ROWS || (seen.size > 0 && examination.model.nowMs() > untilMs)) break;
    const fed = samples.length === 0 ? own : fitRow(examination.graph, own, samples[0]!.fed);
    const key = keyOf(fed);
    if (seen.has(key)) continue;
    seen.add(key);
    const ran = await examination.model.run(fed);
    if (ran.kind === 'no-time') break;
    if (ran.kind === 'crashed' || ran.kind === 'timed-out') throw undone(examination, ran.kind);
    if (ran.kind === 'refused') {
      reason = placeOf(ran.reason);
      continue;
    }
    samples.push({ sent, fed, outputs: ran.outputs, isGolden });
    if (!isGolden) generated += 1;
  }
  if (samples.length === 0) {
    throw new Failure('model-invalid', {
      detail: `the model refuses every input that was tried (${reason})`,
      advice: 'Add golden pairs, so that there is an input which it answers, or rules for its inputs to the manifest.',
    });
  }
  return { finding: judge(examination, samples), samples };
}

type Candidate = Pick<Sample, 'sent' | 'fed' | 'isGolden'>;

/** The golden row of median size first: the others are brought to its shape. */
function* candidates(examination: Examination, golden: readonly GoldenPair[]): Iterable<Candidate> {
  const rows = goldenRows(examination, golden);
  for (const row of rows) yield row;
  // Without one, generated rows of several lengths, until one is answered.
  const lengths = rows.length > 0 ? LENGTHS.slice(0, 1) : LENGTHS;
  for (const length of lengths) {
    for (let seed = 0; seed < 2 * GENERATED_ROWS; seed += 1) {
      const { signature, manifest, maxLength } = examination;
      const sent = generateRow(signature, manifest, seed, Math.min(length, maxLength));
      const fed = fedOrNone(examination, sent);
      if (fed !== undefined) yield { sent, fed, isGolden: false };
    }
  }
}

function goldenRows(examination: Examination, golden: readonly GoldenPair[]): readonly Candidate[] {
  const rows = golden.slice(0, MOST_GOLDEN_ROWS).flatMap(({ inputs }) =>
    splitRows(examination.signature, inputs).flatMap((sent) => {
      const fed = fedOrNone(examination, sent);
      return fed === undefined ? [] : [{ sent, fed, isGolden: true }];
    }),
  );
  const bySize = [...rows].sort((a, b) => rowLength(a.fed) - rowLength(b.fed));
  const middle = bySize[Math.floor(bySize.length / 2)];
  if (middle === undefined) return [];
  return [middle, ...rows.filter((row) => row !== middle)].slice(0, MOST_GOLDEN_ROWS);
}

function fedOrNone({ feed }: Examination, sent: Row): Row | undefined {
  try {
    return feed(sent);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function undone({ model }: Examination, how: 'crashed' | 'timed-out'): Failure {
  const advice =
    'Narrow `min`, `max` or `maxLength` of its inputs to what the model was made for, or add golden pairs with ordinary inputs.';
  return how === 'crashed'
    ? new Failure('model-crashes', { detail: 'an ordinary input that the manifest allows ends the process', advice })
    : new Failure('validation-timeout', {
        detail: `an ordinary input that the manifest allows ran longer than timeoutMs, ${model.timeoutMs} ms`,
        advice,
      });
}

function judge({ manifest }: Examination, samples: readonly Sample[]): Finding {
  const { length } = samples;
  const first = samples[0]!;
  if (length < LEAST_INPUTS) {
    const detail = `only ${length} different input${length === 1 ? ' was' : 's were'} answered: too few to tell`;
    return { outcome: 'skipped', detail, advice: `Add golden pairs with at least ${LEAST_INPUTS} different inputs.` };
  }
  const isConstant = samples.every((sample) => isIdentical(sample.outputs, first.outputs));
  if (!isConstant) return { outcome: 'passed', detail: `${length} different inputs get different answers` };
  const detail = `${length} different inputs all get exactly the same answer`;
  if (manifest.mayBeConstant) return { outcome: 'passed', detail: `${detail}, as the manifest says it may` };
  // Made-up numbers may well be of one class, where the class is all that a model answers.
  const onlyClasses = !first.outputs.some(isFloat) && samples.filter(({ isGolden }) => isGolden).length < LEAST_INPUTS;
  if (!onlyClasses) throw new Failure('model-constant', { detail });
  const advice = `Add golden pairs of at least ${LEAST_INPUTS} different classes, so that this can be told from a broken export.`;
  return { outcome: 'warning', detail, advice };
}
