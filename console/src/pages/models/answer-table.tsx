import Table from '@cloudscape-design/components/table';
import type { ResponseTensor } from '../../api/api.ts';
import { figure } from '../../format/format.ts';

/** What a viewer looks through; the rest is in the answer of the command. */
const [MOST_ROWS, MOST_ELEMENTS] = [50, 8];

type Row = { readonly row: number };

/** The outputs of an answer: a row a row where all have as many, otherwise all elements of each. */
export function AnswerTable({ outputs }: { readonly outputs: readonly ResponseTensor[] }) {
  const rows = rowsOf(outputs);
  const items: Row[] = Array.from({ length: Math.min(rows, MOST_ROWS) }, (_, row) => ({ row }));
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      items={items}
      trackBy={({ row }) => String(row)}
      wrapLines
      ariaLabels={{ tableLabel: 'Outputs' }}
      columnDefinitions={[
        { id: 'row', header: 'Row', cell: ({ row }) => row + 1, width: 64 },
        ...outputs.map((output) => ({
          id: output.name,
          header: `${output.name} (${output.datatype} [${output.shape.join(', ')}])`,
          cell: ({ row }: Row) => <span className="sluice-figures-wrap">{cellOf(output, row, rows)}</span>,
          minWidth: 160,
        })),
      ]}
      footer={rows > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows} rows.` : undefined}
    />
  );
}

function rowsOf(outputs: readonly ResponseTensor[]): number {
  const lengths = new Set(outputs.map(({ shape }) => shape[0] ?? 1));
  return lengths.size === 1 ? [...lengths][0]! : 1;
}

function cellOf({ data = [], shape }: ResponseTensor, row: number, rows: number): string {
  const size = rows === (shape[0] ?? 1) ? data.length / Math.max(1, rows) : data.length;
  const elements = data.slice(row * size, row * size + Math.min(size, MOST_ELEMENTS)).map(elementText);
  return `${elements.join(', ')}${size > MOST_ELEMENTS ? `, … (${size} in all)` : ''}`;
}

function elementText(element: unknown): string {
  if (typeof element === 'number') return Number.isInteger(element) ? String(element) : figure(element);
  return element === null ? 'not finite' : String(element);
}
