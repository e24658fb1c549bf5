import Box from '@cloudscape-design/components/box';
import type { Feedback } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { count } from '../../format/format.ts';

/** A true label a row, a predicted one a column: right ones on the diagonal, wrong ones beside it in another colour. */
export function Confusion({ confusion }: { readonly confusion: Feedback['confusion'] }) {
  const { labels, counts, other } = confusion;
  if (labels.length === 0) return <Empty>No labels.</Empty>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys. */}
      <section className="sluice-scroll" aria-label="Confusion matrix" tabIndex={0}>
        <table className="sluice-confusion">
          <thead>
            <tr>
              <th scope="col">true ╲ predicted</th>
              {labels.map((label) => (
                <th scope="col" key={label} title={label}>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((actual, row) => (
              <tr key={actual}>
                <th scope="row" title={actual}>
                  {actual}
                </th>
                {labels.map((predicted, column) => (
                  <Cell
                    key={predicted}
                    rows={counts[row]?.[column] ?? 0}
                    of={counts[row] ?? []}
                    isRight={row === column}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {other > 0 && <Box variant="small">{count(other)} more of labels that are not among these.</Box>}
    </>
  );
}

/** As strong as its share of its true label. */
function Cell(props: { readonly rows: number; readonly of: readonly number[]; readonly isRight: boolean }) {
  const { rows, of, isRight } = props;
  const total = of.reduce((sum, value) => sum + value, 0);
  return (
    <td className={isRight ? undefined : 'sluice-wrong'}>
      {rows > 0 && <i style={{ opacity: 0.12 + 0.38 * (rows / total) }} />}
      <span>{count(rows)}</span>
    </td>
  );
}
