import Table from 'cli-table3';

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** Colour on a terminal only; NO_COLOR turns it off there too (no-color.org). */
export function paint(colour: keyof typeof COLOURS, text: string): string {
  const coloured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  return coloured ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

/** A table for people; numbers are aligned right. */
export function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const table = new Table({
    head: head.map((title) => paint('bold', title)),
    colAligns: numeric.map((isNumber) => (isNumber ? 'right' : 'left')),
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push(row.map(String));
  return table.toString();
}
