import { SECOND_MS } from '../../units.ts';
import type { BatchMates } from '../report.ts';
import type { Sample } from './check-constant.ts';
import { type Examination, mayShareRuns, type RanTogether, runTogether } from './examination.ts';
import { type Distance, distanceOf, farther } from './outputs.ts';
import type { Finding, Say } from './report-writer.ts';
import { fitRow, freeLength, type Row, scaleRow } from './rows.ts';

/** Two, an odd number, what vectors are wide, and more than one block of a matrix multiplication's rows. */
const SIZES = [2, 3, 8, 16];
const TARGETS = 3;
const HOSTILE = 4;
const LIMIT_MS = 10 * SECOND_MS;

/**
 * In units of the largest output. What is in other rows changes nothing at all in a sound model: at one size and place the same
 * kernels do the same operations on a row. Eight units in the last place of FP32 (1e-6) leave room for kernels that vary.
 */
const CONTENT_LIMIT = 8 * 2 ** -23;
/**
 * In the same units. The number of rows, and padding, choose other kernels and orders of summation: encoders in FP32 of 6
 * layers were measured to differ by up to 2e-6, and rounding grows with the root of the layers; dynamic INT8, which scales over
 * the whole run, differs by 1e-3 and more (ONNX.md). Between them, a factor of 50 from the one and 10 from the other: 1e-4.
 */
const SIZE_LIMIT = 1e-4;
/** FP16 outputs are rounded to 2^-11 of themselves. */
const HALF_SIZE_LIMIT = 4e-3;

type Found = { readonly finding: Finding; readonly batchMates: BatchMates };

/** What was seen so far, over all comparisons. */
type Seen = { readonly content: Distance; readonly size: Distance; readonly padding: Distance };
const NOTHING: Distance = { absolute: 0, relative: 0 };

/**
 * Whether a row's answer depends on the rows beside it: each target alone, with mates A, with mates B and with the hostile rows that
 * the probes found answered, at several sizes and places, and padded to longer mates where the manifest pads. `spreads`: what is
 * not finite was found to reach other rows.
 */
export async function checkBatchMates(
  examination: Examination,
  rows: { readonly samples: readonly Sample[]; readonly hostile: readonly Row[]; readonly spreads: boolean },
  say: Say,
): Promise<Found> {
  if (!mayShareRuns(examination)) return never(examination, whyAlone(examination));
  const { samples } = rows;
  if (samples.length < 3) {
    return never(examination, `only ${samples.length} different rows were answered: too few to compare`);
  }
  const seen = await compareAll(examination, samples, rows.hostile, say);
  if (seen === 'unsplittable') return never(examination, 'the model does not give a row for every row of a run');
  if (seen === 'unmeasured') return never(examination, 'rows could not be run together');
  return verdictOf(examination, seen, rows.spreads);
}

function whyAlone({ graph, manifest }: Examination): string {
  if (manifest.batching.maxRows === 1) return 'the manifest asks for it (batching.maxRows is 1)';
  const names = [...new Set([...graph.inputs, ...graph.outputs].map(({ shape }) => String(shape[0] ?? 'none')))];
  if (names.length > 1) return `the first dimensions are not one free dimension of one name (${names.join(', ')})`;
  if (typeof graph.inputs[0]?.shape[0] !== 'string') return `the first dimension is fixed at ${names[0]}`;
  return 'an output has a free dimension that no input has, so that rows cannot be taken apart';
}

function never({ manifest }: Examination, why: string): Found {
  const isAsked = manifest.batching.maxRows === 1;
  const finding: Finding = {
    outcome: isAsked ? 'skipped' : 'warning',
    detail: `never batched: ${why}; every request has a run of its own`,
    ...(!isAsked && {
      advice:
        'Export dimension 0 of every input and output as free under one name (dynamic_axes), and add golden pairs with three different rows: batches are several times faster.',
    }),
  };
  return { finding, batchMates: { verdict: 'never-batched', largestDifference: 0 } };
}

async function compareAll(
  examination: Examination,
  samples: readonly Sample[],
  hostile: readonly Row[],
  say: Say,
): Promise<Seen | 'unsplittable' | 'unmeasured'> {
  const like = samples[0]!.fed;
  const every = Math.max(1, Math.floor(hostile.length / HOSTILE));
  const picked = hostile.filter((_, at) => at % every === 0).slice(0, HOSTILE);
  const hostileMates = picked.map((row) => fitRow(examination.graph, row, like));
  const untilMs = examination.model.nowMs() + LIMIT_MS;
  let seen: Seen = { content: NOTHING, size: NOTHING, padding: NOTHING };
  let compared = 0;
  for (const [at, size] of SIZES.entries()) {
    for (let t = 0; t < Math.min(TARGETS, samples.length); t += 1) {
      if (compared > 0 && examination.model.nowMs() > untilMs) return seen;
      say(`comparing rows alone and with ${size - 1} others`);
      const target = samples[t]!;
      const others = samples.filter((sample) => sample !== target).map(({ fed }) => fed);
      const half = Math.ceil(others.length / 2);
      const mates = [others.slice(0, half), others.slice(half), hostileMates];
      const place = [0, size - 1, Math.floor(size / 2)][(t + at) % 3]!;
      const one = await compareOne(examination, target, mates, { size, place });
      if (one === 'unsplittable') return one;
      if (one === undefined) continue;
      seen = { ...seen, content: farther(seen.content, one.content), size: farther(seen.size, one.size) };
      compared += 1;
    }
  }
  if (compared === 0) return 'unmeasured';
  const padding = await comparePadded(examination, samples);
  return { ...seen, content: farther(seen.content, padding.content), padding: padding.size };
}

type Shape = { readonly size: number; readonly place: number };

/** undefined: the runs that tell were refused, or there was no time. */
async function compareOne(
  examination: Examination,
  target: { readonly fed: Row; readonly outputs: Sample['outputs'] },
  mates: readonly (readonly Row[])[],
  { size, place }: Shape,
): Promise<Pick<Seen, 'content' | 'size'> | 'unsplittable' | undefined> {
  const answers: Sample['outputs'][] = [];
  for (const others of mates) {
    if (others.length === 0) continue;
    const rows = Array.from({ length: size }, (_, at) => (at === place ? target.fed : others[at % others.length]!));
    const ran: RanTogether = await runTogether(examination, rows);
    if (ran.kind === 'unsplittable') return 'unsplittable';
    if (ran.kind === 'done') answers.push(ran.answers[place]!);
  }
  const [first, ...rest] = answers;
  if (first === undefined || rest.length === 0) return undefined;
  return {
    content: rest.map((answer) => distanceOf(first, answer)).reduce(farther, NOTHING),
    size: distanceOf(target.outputs, first),
  };
}

/** A row of three quarters of the length beside full ones: half an octave, the most that a run fills up, is less. */
async function comparePadded(
  examination: Examination,
  samples: readonly Sample[],
): Promise<Pick<Seen, 'content' | 'size'>> {
  const none = { content: NOTHING, size: NOTHING };
  const { plan, graph, model } = examination;
  const like = samples[0]!.fed;
  const length = freeLength(graph, like);
  if (plan.padded.size === 0 || length === undefined || length < 2) return none;
  const fed = scaleRow(graph, like, Math.floor(0.75 * length));
  const alone = await model.run(fed);
  if (alone.kind !== 'done') return none;
  const others = samples.slice(1).map((sample) => sample.fed);
  const half = Math.ceil(others.length / 2);
  const mates = [others.slice(0, half), others.slice(half)];
  const one = await compareOne(examination, { fed, outputs: alone.outputs }, mates, { size: 3, place: 1 });
  return one === undefined || one === 'unsplittable' ? none : one;
}

function verdictOf({ graph, manifest }: Examination, seen: Seen, spreads: boolean): Found {
  const isHalf = graph.outputs.some(({ datatype }) => datatype === 'FP16');
  const limit = isHalf ? HALF_SIZE_LIMIT : SIZE_LIMIT;
  const largestDifference = Math.max(seen.content.absolute, seen.size.absolute, seen.padding.absolute);
  const by = `by up to ${largestDifference.toPrecision(2)}`;
  const advice =
    'Dynamic quantization (scales over the whole run) and normalization over rows do this: quantize statically or normalize each row. Within one tenant runs are still shared; set `batching.maxRows` to 1 to end that too.';
  if (seen.content.relative > CONTENT_LIMIT || spreads) {
    const what =
      seen.content.relative > CONTENT_LIMIT
        ? `what is in the other rows of a run changes a row's answer ${by}`
        : 'NaN and infinities in one row change the answers of others';
    return found(
      { verdict: 'mate-dependent', largestDifference },
      `never batched across tenants, because ${what}`,
      advice,
    );
  }
  if (seen.size.relative > limit || seen.padding.relative > limit) {
    const what =
      seen.size.relative > limit
        ? `the number of rows in a run changes a row's answer ${by}`
        : `padding to longer rows changes a row's answer ${by}`;
    const mend =
      seen.size.relative > limit
        ? advice
        : 'Check `pad` of its inputs and that a mask covers padding, or remove `pad`.';
    return found(
      { verdict: 'size-dependent', largestDifference },
      `never batched across tenants, because ${what}`,
      mend,
    );
  }
  const noise = largestDifference === 0 ? 'exactly' : `but for rounding of ${largestDifference.toPrecision(2)}`;
  const said = manifest.batching.batchMateDependent ? '; the manifest says otherwise, and is obeyed' : '';
  const detail = `a row's answer is the same alone and with any others, ${noise}${said}`;
  return { finding: { outcome: 'passed', detail }, batchMates: { verdict: 'independent', largestDifference } };
}

function found(batchMates: BatchMates, detail: string, advice: string): Found {
  return { finding: { outcome: 'warning', detail, advice }, batchMates };
}
