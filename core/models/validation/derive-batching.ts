import { HOUR_MS, SECOND_MS } from '../../units.ts';
import type { Manifest } from '../manifest.ts';
import type { MeasuredBatching, Speed } from '../report.ts';
import type { Curve } from './measure-speed.ts';
import type { Finding } from './report-writer.ts';

/** The last few per cent of throughput cost twice the wait: runs stop growing at 95 % of the best. */
const NEARLY_BEST = 0.95;
/** Less than 1 % apart are two measurements of one thing. */
const BEST = 0.99;
/** What an interactive caller may wait for the run before its own (DESIGN.md: one batch cap). */
const INTERACTIVE_MS = 15;

/**
 * How batches are best formed:
 * - rows: the least that reach 95 % of the best throughput, at the length where that takes most;
 * - elements: the most rows × length at the best throughput of a length, over those where more than one row pays;
 * - milliseconds: 15; where one row alone takes longer, as long as the best run, but no more than two rows alone.
 */
export function deriveBatching(curves: readonly Curve[], hasLengths: boolean): MeasuredBatching {
  const maxRows = Math.max(1, ...curves.map((curve) => leastRows(curve, NEARLY_BEST)));
  const best = curves.map((curve) => ({ length: curve.length, rows: leastRows(curve, BEST) }));
  const paying = best.filter(({ rows }) => rows > 1);
  const elements = paying.length > 0 ? paying : best.slice(0, 1);
  const maxPaddedElements = Math.max(1, ...elements.map(({ rows, length }) => rows * length));
  return { maxRows, ...(hasLengths && { maxPaddedElements }), maxBatchMs: maxBatchMs(curves[0]) };
}

/** US dollars for a thousand rows of the typical length in best runs. */
export function usdPerThousand(typical: Curve, usdPerComputeHour: number): number {
  return ((1000 * msPerRow(typical)) / HOUR_MS) * usdPerComputeHour;
}

export function speedOf(curves: readonly Curve[]): Speed[] {
  return curves
    .flatMap(({ length, points }) => points.map(({ rows, runMs }) => ({ rows, length, runMs: rounded(runMs) })))
    .sort((a, b) => a.length - b.length || a.rows - b.rows);
}

/** What was measured, and whether the largest request that the manifest allows can end in time. */
export function speedFinding(curves: readonly Curve[], manifest: Manifest): Finding {
  const typical = curves[0]!;
  const rows = leastRows(typical, NEARLY_BEST);
  const perSecond = SECOND_MS / msPerRow(typical);
  const detail = `one row takes ${short(typical.points[0]!.runMs)} ms; best are runs of ${rows}: ${short(perSecond)} rows a second (${typical.length} elements a row)`;
  const longest = curves.reduce((a, b) => (b.length > a.length ? b : a));
  const largestMs = manifest.limits.maxRows * msPerRow(longest);
  if (largestMs <= manifest.timeoutMs) return { outcome: 'passed', detail };
  const fits = Math.max(1, Math.floor(manifest.timeoutMs / msPerRow(longest)));
  return {
    outcome: 'warning',
    detail: `${detail}; the largest request that limits allow, ${manifest.limits.maxRows} rows of ${longest.length}, would take about ${short(largestMs / SECOND_MS)} s, longer than timeoutMs`,
    advice: `Set \`limits.maxRows\` to ${Math.min(fits, manifest.limits.maxRows)} or less, or raise \`timeoutMs\`.`,
  };
}

/** Least rows of a run that reach this share of the best throughput. */
function leastRows({ points }: Curve, share: number): number {
  const best = Math.max(...points.map(({ rows, runMs }) => rows / runMs));
  return points.find(({ rows, runMs }) => rows / runMs >= share * best)!.rows;
}

function msPerRow({ points }: Curve): number {
  return Math.min(...points.map(({ rows, runMs }) => runMs / rows));
}

function maxBatchMs(typical: Curve | undefined): number {
  const aloneMs = typical?.points[0]?.runMs ?? 0;
  if (typical === undefined || aloneMs <= INTERACTIVE_MS) return INTERACTIVE_MS;
  const rows = leastRows(typical, NEARLY_BEST);
  const bestMs = typical.points.find((point) => point.rows === rows)!.runMs;
  return Math.ceil(Math.min(bestMs, 2 * aloneMs));
}

/** A microsecond is as fine as runs are measured. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function short(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(2);
}
