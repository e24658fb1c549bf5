import { useWidth } from '../../components/use-width.ts';
import { count } from '../../format/format.ts';

export type OverlayBin = {
  readonly from: number;
  readonly until: number;
  readonly stable: number;
  readonly candidate: number;
};

type OverlayHistogramProps = {
  readonly bins: readonly OverlayBin[];
  readonly stable: string;
  readonly candidate: string;
  /** Of a bound of a bin. */
  readonly format: (value: number) => string;
  /** What is counted, for those who hear it. */
  readonly label: string;
  readonly empty: string;
};

const [HEIGHT, BOTTOM] = [150, 22];
const PLOT = HEIGHT - BOTTOM;
/** Where each has as much room as its text takes. */
const TICK_PX = 80;

/**
 * Two distributions over each other, each as shares of its own total, so that versions with little and much traffic compare. As tall without
 * anything as with.
 */
export function OverlayHistogram({ bins, stable, candidate, format, label, empty }: OverlayHistogramProps) {
  const [container, width] = useWidth();
  const before = sharesOf(bins, 'stable');
  const after = sharesOf(bins, 'candidate');
  const highest = Math.max(...before, ...after, 1e-9);
  const heights = (shares: readonly number[]) => shares.map((share) => (share / highest) * (PLOT - 8));
  return (
    <figure className="sluice-overlay" ref={container}>
      <svg width={width} height={HEIGHT} role="img" aria-label={spoken(label, bins, stable, candidate)}>
        <line className="sluice-axis" x1={0} x2={width} y1={PLOT} y2={PLOT} />
        {bins.length === 0 ? (
          <text className="sluice-tick" x={width / 2} y={PLOT / 2} textAnchor="middle">
            {empty}
          </text>
        ) : (
          <>
            <path className="sluice-fill-stable" d={outline(heights(before), width)} />
            <path className="sluice-fill-candidate" d={outline(heights(after), width)} />
            {ticksOf(bins, width).map(({ x, value, anchor }) => (
              <text className="sluice-tick" key={x} x={x} y={HEIGHT - 5} textAnchor={anchor}>
                {format(value)}
              </text>
            ))}
          </>
        )}
      </svg>
      <figcaption className="sluice-legend">
        <span className="sluice-key-stable">Stable {stable}</span>
        <span className="sluice-key-candidate">Candidate {candidate}</span>
      </figcaption>
    </figure>
  );
}

function sharesOf(bins: readonly OverlayBin[], side: 'stable' | 'candidate'): number[] {
  const total = bins.reduce((sum, bin) => sum + bin[side], 0);
  return bins.map((bin) => (total === 0 ? 0 : bin[side] / total));
}

/** The outline of bars that adjoin. */
function outline(heights: readonly number[], across: number): string {
  const width = across / heights.length;
  const steps = heights.map((height, at) => `V${(PLOT - height).toFixed(1)}H${((at + 1) * width).toFixed(1)}`);
  return `M0 ${PLOT}${steps.join('')}V${PLOT}Z`;
}

function ticksOf(
  bins: readonly OverlayBin[],
  width: number,
): { x: number; value: number; anchor: 'start' | 'middle' | 'end' }[] {
  const ticks = Math.max(2, Math.min(5, Math.floor(width / TICK_PX)));
  return Array.from({ length: ticks }, (_, tick) => {
    const at = Math.round((tick / (ticks - 1)) * bins.length);
    const value = at === bins.length ? bins.at(-1)!.until : bins[at]!.from;
    const anchor = tick === 0 ? 'start' : tick === ticks - 1 ? 'end' : 'middle';
    return { x: (at / bins.length) * width, value, anchor };
  });
}

function spoken(label: string, bins: readonly OverlayBin[], stable: string, candidate: string): string {
  const total = (side: 'stable' | 'candidate') => count(bins.reduce((sum, bin) => sum + bin[side], 0));
  return `${label}: ${total('stable')} of version ${stable}, ${total('candidate')} of version ${candidate}`;
}
