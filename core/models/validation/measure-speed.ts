import { bucketOf } from '../../inference/batch-plan.ts';
import { mergeInputs } from '../../inference/merge-batch.ts';
import { MIB, SECOND_MS } from '../../units.ts';
import { isBatchable } from '../signature.ts';
import type { Sample } from './check-constant.ts';
import { type Examination, refuseDeadly } from './examination.ts';
import type { Say } from './report-writer.ts';
import { freeLength, type Row, rowLength, scaleRow } from './rows.ts';

/** One length: runs of more and more rows. `length` is what batches are bucketed by. */
export type Curve = {
  readonly length: number;
  readonly points: readonly { readonly rows: number; readonly runMs: number }[];
};

const MOST_ROWS = 64;
/** A longer run teaches nothing: batches are capped at 15 ms, or at twice one row. */
const MOST_RUN_MS = 500;
/** Of inputs in one run (form-batch.ts has the same limit). */
const MOST_BYTES = 16 * MIB;
/** The lower quartile of at least three runs, and of up to 25 where they take no time: a busy machine only ever adds time. */
const QUARTILE = 4;
const LEAST_RUNS = 3;
const MOST_RUNS = 25;
const ENOUGH_MS = 60;
/** Doubling that gains less than 2 % three times in a row is over the hill; once or twice it may be noise. */
const GAIN = 1.02;
const FLAT = 3;
const LIMIT_MS = 15 * SECOND_MS;
/** Lengths by factors of four from a typical one: costs per element change slowly. */
const STEP = 4;
const MOST_LENGTHS = 5;

/**
 * Milliseconds of runs by rows (1, 2, 4 up to 64) and by length (from a quarter of the samples' to the longest that callers can
 * send), the samples' own length first, as far as 15 s reach. At least the first point of the first curve, unless no run at all
 * succeeds; lengths that the model refuses are left out, and one that ends or blocks it is refused. The first curve is that of a typical row.
 */
export async function measureSpeed(
  examination: Examination,
  samples: readonly Sample[],
  say: Say,
): Promise<readonly Curve[]> {
  const curves: Curve[] = [];
  const untilMs = examination.model.nowMs() + LIMIT_MS;
  for (const rows of rowsByLength(examination, samples)) {
    if (curves.length > 0 && examination.model.nowMs() > untilMs) break;
    say(`measuring rows of ${rowLength(rows[0]!)} elements`);
    const curve = await measureCurve(examination, rows, untilMs);
    if (curve.points.length > 0) curves.push(curve);
  }
  return curves;
}

/** The samples, at the typical length and then at others. */
function rowsByLength({ graph, maxLength }: Examination, samples: readonly Sample[]): (readonly Row[])[] {
  const rows = samples.map(({ fed }) => fed);
  const typical = freeLength(graph, rows[0]!);
  if (typical === undefined) return [rows];
  const lengths = [Math.floor(typical / STEP)];
  for (let length = typical * STEP; length < maxLength; length *= STEP) lengths.push(length);
  lengths.push(maxLength);
  const others = [...new Set(lengths)].filter((length) => length >= 1 && length <= maxLength && length !== typical);
  return [rows, ...others.slice(0, MOST_LENGTHS - 1).map((length) => rows.map((row) => scaleRow(graph, row, length)))];
}

async function measureCurve(examination: Examination, rows: readonly Row[], untilMs: number): Promise<Curve> {
  const { plan, graph } = examination;
  const { length } = bucketOf(plan, { tenant: '', inputs: rows[0]! });
  const points: { rows: number; runMs: number }[] = [];
  const mostRows = isBatchable(graph) ? MOST_ROWS : 1;
  let flat = 0;
  for (let count = 1; count <= mostRows && flat < FLAT; count *= 2) {
    const before = points.at(-1);
    if (before !== undefined && (2 * before.runMs > MOST_RUN_MS || examination.model.nowMs() > untilMs)) break;
    if (before !== undefined && bytesOf(inputsOf(plan, rows, count, 0)) > MOST_BYTES) break;
    const runMs = await timeOf(examination, rows, count);
    if (runMs === undefined) break;
    if (before !== undefined) flat = count / runMs < (GAIN * before.rows) / before.runMs ? flat + 1 : 0;
    points.push({ rows: count, runMs });
  }
  return { length, points };
}

/** Each run has other rows: where work depends on what is asked, no single row decides. */
function inputsOf(plan: Examination['plan'], rows: readonly Row[], count: number, run: number): Row {
  const from = run * count;
  const batch = Array.from({ length: count }, (_, at) => ({ inputs: rows[(from + at) % rows.length]!, rows: 1 }));
  return mergeInputs(plan, batch);
}

/** Compute of a run of so many rows; undefined if it cannot be run. */
async function timeOf(examination: Examination, rows: readonly Row[], count: number): Promise<number | undefined> {
  const { model, plan } = examination;
  const times: number[] = [];
  let totalMs = 0;
  while (times.length < LEAST_RUNS || (times.length < MOST_RUNS && totalMs < ENOUGH_MS)) {
    const ran = await model.run(inputsOf(plan, rows, count, times.length));
    if (ran.kind !== 'done') {
      const what = `a run of ${count} row${count === 1 ? '' : 's'} of ${rowLength(rows[0]!)} elements`;
      refuseDeadly(examination, ran, what, count === 1 ? 'limits.maxLength' : 'limits.maxRows');
      return undefined;
    }
    totalMs += ran.computeMs;
    times.push(ran.computeMs);
    // What takes so long is measured well enough by two.
    if (times.length === 2 && totalMs > MOST_RUN_MS) break;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor((times.length - 1) / QUARTILE)]!;
}

function bytesOf(inputs: Row): number {
  return inputs.reduce((bytes, { data }) => bytes + (Array.isArray(data) ? data.join('').length : data.byteLength), 0);
}
