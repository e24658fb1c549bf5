import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paint, renderTable } from '../bin/table.ts';
import type { Machine } from './machine.ts';
import type { Row } from './measurement.ts';
import { withDigits } from './measurement.ts';

export type Report = {
  readonly date: string;
  readonly machine: Machine;
  /** Short runs: an impression, not figures to quote. */
  readonly quick: boolean;
  /** `otherLoad`: CPU that foreign processes took meanwhile, as a share of one core. */
  readonly rows: readonly (Row & { readonly measurement: string; readonly otherLoad: number })[];
};

/** Differences under 3 % are noise anyway. */
const CALM = 0.05;

export function renderReport({ date, machine, quick, rows }: Report): string {
  const { disk } = machine;
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, node ${machine.node}, onnxruntime ${machine.onnxruntime}`;
  const onDisk = `${disk.fileSystem}, fsync of 4 KiB ${withDigits(disk.fsyncMs, 2)} ms`;
  const cells = rows.map(({ what, budget, measured, met }) => [what, budget ?? '', measured, verdict(met)]);
  const most = Math.max(0, ...rows.map((row) => row.otherLoad));
  const notes = [
    ...(quick ? ['Short runs (--quick): an impression, not figures to quote.'] : []),
    ...(most > CALM
      ? [`Other processes took up to ${withDigits(most, 2)} of a core meanwhile: measure again on a calm machine.`]
      : []),
  ];
  const tables = rows.flatMap(({ table }) => (table === undefined ? [] : [renderTable(table.head, table.rows)]));
  return [
    `${date}: ${where}; ${onDisk}`,
    renderTable(['what', 'budget', 'measured', ''], cells),
    ...tables,
    ...notes,
  ].join('\n');
}

/** Writes the report with all numbers behind it to `bench/results/<date>.json` and returns the path. */
export function writeReport(report: Report): string {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.date.replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return '';
  return met ? paint('green', 'pass') : paint('red', 'FAIL');
}
