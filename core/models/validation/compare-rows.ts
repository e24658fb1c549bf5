import type { Tensor } from '../../inference/tensor.ts';
import { SECOND_MS } from '../../units.ts';
import type { Sample } from './check-constant.ts';
import { type Examination, refuseDeadly, runTogether } from './examination.ts';
import { type Distance, distanceOf, farther } from './outputs.ts';
import type { Say } from './report-writer.ts';
import { fitRow, freeLength, type Row, scaleRow } from './rows.ts';

/** Two, an odd number, what vectors are wide, and more than one block of a matrix multiplication's rows. */
const SIZES = [2, 3, 8, 16];
const TARGETS = 3;
const HOSTILE = 4;
const LIMIT_MS = 10 * SECOND_MS;

/** How far a row's answers were apart, over all comparisons. */
export type Differences = {
  /** With ordinary mates against with other ordinary ones. */
  readonly content: Distance;
  /** With ordinary mates against with rows at the edges of what the manifest allows. */
  readonly hostile: Distance;
  /** Alone against with ordinary mates. */
  readonly size: Distance;
  /** Alone against padded to longer mates. */
  readonly padding: Distance;
};

const NOTHING: Distance = { absolute: 0, relative: 0 };

/**
 * Rows alone, with mates A, with mates B and with `hostile` ones, at several sizes and places, and padded where the manifest pads.
 * `unsplittable`: the model does not give a row for every row; `unmeasured`: no run of two rows succeeded in time. Throws
 * `model-crashes` for a run that ends the process.
 */
export async function compareRows(
  examination: Examination,
  samples: readonly Sample[],
  hostile: readonly Row[],
  say: Say,
): Promise<Differences | 'unsplittable' | 'unmeasured'> {
  const untilMs = examination.model.nowMs() + LIMIT_MS;
  const hostileMates = pick(examination, samples, hostile);
  let differences: Differences | undefined;
  for (const { target, size, place } of placings(samples)) {
    if (differences !== undefined && examination.model.nowMs() > untilMs) break;
    say(`comparing rows alone and with ${size - 1} others`);
    const mates = { ...ordinaryMates(samples, target), hostile: hostileMates };
    const one = await compareOne(examination, target, mates, { size, place });
    if (one === 'unsplittable') return one;
    if (one === 'too-long') break;
    if (one !== undefined) differences = differences === undefined ? one : farthest(differences, one);
  }
  if (differences === undefined) return 'unmeasured';
  const padded = await comparePadded(examination, samples);
  return padded === undefined
    ? differences
    : { ...differences, content: farther(differences.content, padded.content), padding: padded.size };
}

type Target = Pick<Sample, 'fed' | 'outputs'>;
type Placing = { readonly target: Sample; readonly size: number; readonly place: number };

/** Each target at each size, first, last and in the middle. */
function* placings(samples: readonly Sample[]): Iterable<Placing> {
  for (const [at, size] of SIZES.entries()) {
    for (const [t, target] of samples.slice(0, TARGETS).entries()) {
      yield { target, size, place: [0, size - 1, Math.floor(size / 2)][(t + at) % 3]! };
    }
  }
}

type Mates = { readonly a: readonly Row[]; readonly b: readonly Row[]; readonly hostile: readonly Row[] };

/** The other samples in two halves. */
function ordinaryMates(samples: readonly Sample[], target: Sample): Omit<Mates, 'hostile'> {
  const others = samples.filter((sample) => sample !== target).map(({ fed }) => fed);
  const half = Math.ceil(others.length / 2);
  return { a: others.slice(0, half), b: others.slice(half) };
}

/** A few from all over, in the samples' shape. */
function pick({ graph }: Examination, samples: readonly Sample[], hostile: readonly Row[]): readonly Row[] {
  const every = Math.max(1, Math.floor(hostile.length / HOSTILE));
  const picked = hostile.filter((_, at) => at % every === 0).slice(0, HOSTILE);
  return picked.map((row) => fitRow(graph, row, samples[0]!.fed));
}

/** undefined: a run that tells was refused, or there was no time. */
async function compareOne(
  examination: Examination,
  target: Target,
  mates: Mates,
  { size, place }: Omit<Placing, 'target'>,
): Promise<Differences | 'unsplittable' | 'too-long' | undefined> {
  const answers: Partial<Record<keyof Mates, readonly Tensor[]>> = {};
  for (const kind of ['a', 'b', 'hostile'] as const) {
    const others = mates[kind];
    if (others.length === 0) continue;
    const rows = Array.from({ length: size }, (_, at) => (at === place ? target.fed : others[at % others.length]!));
    const ran = await runTogether(examination, rows);
    if (ran.kind === 'unsplittable') return 'unsplittable';
    // Too many rows at once: fewer have told enough, or nothing is shared.
    if (ran.kind === 'timed-out') return 'too-long';
    refuseDeadly(examination, ran, `a run of ${size} rows`, 'limits.maxRows');
    if (ran.kind === 'done') answers[kind] = ran.answers[place]!;
  }
  const { a, b, hostile } = answers;
  if (a === undefined || b === undefined) return undefined;
  return {
    content: distanceOf(a, b),
    hostile: hostile === undefined ? NOTHING : distanceOf(a, hostile),
    size: distanceOf(target.outputs, a),
    padding: NOTHING,
  };
}

/** A row of three quarters of the length beside full ones: a run fills up to 0.71 (half an octave) at the most. */
async function comparePadded(examination: Examination, samples: readonly Sample[]): Promise<Differences | undefined> {
  const { plan, graph, model } = examination;
  const like = samples[0]!;
  const length = freeLength(graph, like.fed);
  if (plan.padded.size === 0 || length === undefined || length < 2) return undefined;
  const fed = scaleRow(graph, like.fed, Math.floor(0.75 * length));
  const alone = await model.run(fed);
  if (alone.kind !== 'done') return undefined;
  const mates = { ...ordinaryMates(samples, like), hostile: [] };
  const one = await compareOne(examination, { fed, outputs: alone.outputs }, mates, { size: 3, place: 1 });
  return typeof one === 'string' ? undefined : one;
}

function farthest(a: Differences, b: Differences): Differences {
  return {
    content: farther(a.content, b.content),
    hostile: farther(a.hostile, b.hostile),
    size: farther(a.size, b.size),
    padding: farther(a.padding, b.padding),
  };
}
