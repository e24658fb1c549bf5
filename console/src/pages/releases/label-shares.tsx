import type { ReleaseNumbers } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { percent } from '../../format/format.ts';

/** How often each version gave each label, one bar over the other. */
export function LabelShares(props: {
  readonly labels: ReleaseNumbers['labels'];
  readonly stable: string;
  readonly candidate: string;
}) {
  const { labels, stable, candidate } = props;
  if (labels.length === 0) return <Empty>No labels yet: this model gives none, or nothing was answered.</Empty>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys. */}
      <section className="sluice-scroll-y" aria-label="Shares of labels" tabIndex={0}>
        <table className="sluice-labels">
          <thead className="sluice-hidden">
            <tr>
              <th scope="col">Label</th>
              <th scope="col">Shares</th>
            </tr>
          </thead>
          <tbody>
            {labels.map((one) => (
              <tr key={one.label === null ? 'all others' : `label ${one.label}`}>
                <th scope="row" title={one.label ?? undefined}>
                  {one.label ?? <i>all others</i>}
                </th>
                <td>
                  <Bar side="stable" share={one.stable} of={stable} />
                  <Bar side="candidate" share={one.candidate} of={candidate} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div className="sluice-legend" aria-hidden="true">
        <span className="sluice-key-stable">Stable {stable}</span>
        <span className="sluice-key-candidate">Candidate {candidate}</span>
      </div>
    </>
  );
}

function Bar(props: { readonly side: 'stable' | 'candidate'; readonly share: number | null; readonly of: string }) {
  const { side, share, of } = props;
  return (
    <div className="sluice-bar">
      <span className={`sluice-bar-${side}`} style={{ width: `${(share ?? 0) * 70}%` }} />
      <span className="sluice-figures">
        <span className="sluice-hidden">version {of}: </span>
        {percent(share)}
      </span>
    </div>
  );
}
