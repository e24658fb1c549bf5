import type { z } from 'zod';
import type { versionJson } from '../core/api/schemas.ts';
import type { ReportJson } from '../core/api/validation-json.ts';
import { KIB, MIB, SECOND_MS } from '../core/units.ts';
import { printable } from './printable.ts';
import { paint } from './table.ts';

export type VersionJson = z.infer<typeof versionJson>;
type CheckJson = ReportJson['checks'][number];
type Manifest = VersionJson['manifest'];

const LABEL_WIDTH = 14;
const TIME_WIDTH = 8;
const BAR_WIDTH = 24;

const MARKS = {
  passed: () => paint('green', '✓'),
  repaired: () => paint('yellow', '!'),
  warning: () => paint('yellow', '!'),
  refused: () => paint('red', '✗'),
  skipped: () => paint('dim', '-'),
} as const satisfies Record<CheckJson['outcome'], () => string>;

/** A check that was made: mark, name, time, what was found; below it what to do, if anything. */
export function checkLines({ check, outcome, detail, advice, took_ms: tookMs }: CheckJson): string[] {
  const start = `${MARKS[outcome]()} ${check.padEnd(LABEL_WIDTH)}${duration(tookMs).padStart(TIME_WIDTH)}`;
  const line = `${start}  ${printable(detail)}`;
  const indent = ' '.repeat(2 + LABEL_WIDTH + TIME_WIDTH + 2);
  return advice === undefined ? [line] : [line, `${indent}${paint('cyan', printable(advice))}`];
}

/** What validation found of a model, for people. */
export function renderReport(report: ReportJson, manifest: Manifest): string {
  const facts: readonly (readonly [string, string])[] = [
    ['checks', countOutcomes(report.checks)],
    ['golden pairs', goldenOf(report)],
    ['memory', `${byteSize(report.memory_bytes)} at the most; loads in ${duration(report.load_ms)}`],
    ['batch policy', batchPolicy(report, manifest)],
    ['batch-mates', batchMates(report)],
    ['cost', `${dollars(report.usd_per_thousand)} per thousand rows`],
    ['repairs', report.repairs.length === 0 ? 'none' : printable(report.repairs.join('; '))],
  ];
  const lines = facts.map(([label, text]) => `  ${paint('dim', label.padEnd(LABEL_WIDTH))}${text}`);
  return report.speed.length === 0 ? lines.join('\n') : `${lines.join('\n')}\n${renderSpeed(report.speed)}`;
}

/** Milliseconds below a second, seconds above; three digits at the most. */
export function duration(ms: number): string {
  if (ms >= SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

/** KiB below a MiB, MiB above. */
export function byteSize(bytes: number): string {
  const [size, unit] = bytes < MIB ? [bytes / KIB, 'KiB'] : [bytes / MIB, 'MiB'];
  return `${size < 10 ? Number(size.toFixed(1)) : Math.round(size).toLocaleString('en-US')} ${unit}`;
}

function countOutcomes(checks: readonly CheckJson[]): string {
  const counts = Object.keys(MARKS).map((outcome) => [
    checks.filter((check) => check.outcome === outcome).length,
    outcome,
  ]);
  const named = counts.filter(([count]) => count !== 0).map(([count, outcome]) => `${count} ${outcome}`);
  return named.length === 0 ? 'none' : named.join(', ');
}

function goldenOf({ golden_pairs: pairs, largest_difference: difference }: ReportJson): string {
  if (pairs === 0) return 'none';
  return `${pairs} met${difference === 0 ? ' exactly' : `; largest difference ${difference.toPrecision(2)}`}`;
}

/** What is in force: the manifest's word where it has one, else what was measured. */
function batchPolicy({ batching, batch_mates: { verdict } }: ReportJson, { batching: said }: Manifest): string {
  if (verdict === 'never-batched') return 'every request has a run of its own';
  const from = (isSaid: boolean) => (isSaid ? ' (manifest)' : '');
  const rows = said.maxRows ?? batching.max_rows;
  const elements = said.maxPaddedElements ?? batching.max_padded_elements;
  const parts = [`at most ${rows.toLocaleString('en-US')} rows${from(said.maxRows !== undefined)}`];
  if (elements !== undefined) {
    parts.push(`${elements.toLocaleString('en-US')} padded elements${from(said.maxPaddedElements !== undefined)}`);
  }
  parts.push(`${duration(said.maxBatchMs ?? batching.max_batch_ms)} a run${from(said.maxBatchMs !== undefined)}`);
  return parts.join(', ');
}

function batchMates({ batch_mates: { verdict, largest_difference: difference } }: ReportJson): string {
  const by = difference === 0 ? '' : ` (by up to ${difference.toPrecision(2)})`;
  switch (verdict) {
    case 'independent':
      return 'independent: requests of all tenants share runs';
    case 'size-dependent':
      return `their number changes an answer${by}: only requests of one tenant share a run`;
    case 'mate-dependent':
      return `what is in them changes an answer${by}: only requests of one tenant share a run`;
    case 'never-batched':
      return 'never any: rows cannot be told apart';
  }
}

function renderSpeed(speed: ReportJson['speed']): string {
  const perSecond = speed.map(({ rows, run_ms: runMs }) => (runMs === 0 ? 0 : (rows / runMs) * SECOND_MS));
  const most = Math.max(...perSecond);
  const rows = speed.map(({ rows, length, run_ms: runMs }, at) => [
    length.toLocaleString('en-US'),
    rows.toLocaleString('en-US'),
    duration(runMs),
    Math.round(perSecond[at]!).toLocaleString('en-US'),
    bar(most === 0 ? 0 : perSecond[at]! / most),
  ]);
  return alignRight(['row length', 'rows a run', 'takes', 'rows/s', ''], rows);
}

/** Columns without lines between them, for tables that stand below a report; the last one is aligned left. */
function alignRight(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const toLine = (cells: readonly string[]) =>
    `  ${cells.map((cell, at) => (at === head.length - 1 ? cell : cell.padStart(widths[at]!))).join('  ')}`.trimEnd();
  return [paint('dim', toLine(head)), ...rows.map(toLine)].join('\n');
}

function bar(share: number): string {
  return paint('cyan', '█'.repeat(Math.max(1, Math.round(share * BAR_WIDTH))));
}

/** Two digits that count, however small: compute is cheap by the row. */
function dollars(usd: number): string {
  return usd.toLocaleString('en-US', { style: 'currency', currency: 'USD', maximumSignificantDigits: 2 });
}
