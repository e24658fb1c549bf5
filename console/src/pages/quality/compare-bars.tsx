import { percent } from '../../format/format.ts';

export type Pair = { readonly name: string; readonly before: number | null; readonly now: number | null };

type CompareBarsProps = {
  readonly pairs: readonly Pair[];
  /** What the rows are, to who cannot see the bars. */
  readonly label: string;
};

/** Shares of the reference and of now, one bar over the other, all to one scale. */
export function CompareBars({ pairs, label }: CompareBarsProps) {
  const greatest = Math.max(...pairs.flatMap(({ before, now }) => [before ?? 0, now ?? 0]), 1e-9);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys. */}
      <section className="sluice-scroll" aria-label={label} tabIndex={0}>
        <table className="sluice-pairs">
          <thead className="sluice-hidden">
            <tr>
              <th scope="col">{label}</th>
              <th scope="col">Shares</th>
            </tr>
          </thead>
          <tbody>
            {pairs.map(({ name, before, now }) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td>
                  <Bar className="sluice-pair-before" share={before} of="reference" greatest={greatest} />
                  <Bar className="sluice-pair-now" share={now} of="now" greatest={greatest} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div className="sluice-pair-legend" aria-hidden="true">
        <span>
          <i className="sluice-pair-before" />
          Reference
        </span>
        <span>
          <i className="sluice-pair-now" />
          Now
        </span>
      </div>
    </>
  );
}

function Bar(props: {
  readonly className: string;
  readonly share: number | null;
  readonly of: string;
  readonly greatest: number;
}) {
  const { className, share, of, greatest } = props;
  return (
    <div className="sluice-pair">
      <i className={className} style={{ width: `${((share ?? 0) / greatest) * 75}%` }} />
      <span className="sluice-figures">
        <span className="sluice-hidden">{of}: </span>
        {percent(share)}
      </span>
    </div>
  );
}

/** Counts by equal bins from 0 to 1 as shares of their sum, without the bins that neither has. */
export function binPairs(before: readonly number[] | null, now: readonly number[]): readonly Pair[] {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const shares = (counts: readonly number[]) => counts.map((count) => count / Math.max(1, sum(counts)));
  const [first, second] = [before === null ? undefined : shares(before), shares(now)];
  return second.flatMap((share, bin) => {
    const earlier = first?.[bin] ?? 0;
    if (share === 0 && earlier === 0) return [];
    const bound = (at: number) => (at / now.length).toFixed(2);
    return [{ name: `${bound(bin)} to ${bound(bin + 1)}`, before: first === undefined ? null : earlier, now: share }];
  });
}
