import type { RemoteOptions } from './options.ts';
import { paint, renderTable } from './table.ts';

/** A line of progress on stderr, so that stdout stays clean for --json. */
export function progress(text: string): void {
  console.error(paint('dim', `… ${text}`));
}

/** The same rows as JSON for programs or as a table for people. */
export function printResult<T>(
  options: RemoteOptions,
  rows: readonly T[],
  head: readonly string[],
  toCells: (row: T) => readonly (string | number)[],
): void {
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) console.log('none');
  else console.log(renderTable(head, rows.map(toCells)));
}
