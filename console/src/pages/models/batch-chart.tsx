import type { ValidationReport } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { useWidth } from '../../components/use-width.ts';
import { duration } from '../../format/format.ts';

const [HEIGHT, LEFT, BOTTOM, TOP] = [200, 58, 24, 10];
/** Lines that can be told apart. */
const MOST_LINES = 4;

type Speed = ValidationReport['speed'][number];
type Line = { readonly length: number; readonly points: readonly Speed[] };

/** How long a run takes by its rows, a line for each length of a row; both scales are logarithmic. */
export function BatchChart({ speed }: { readonly speed: readonly Speed[] }) {
  const [container, width] = useWidth();
  if (speed.length === 0) return <Empty>Nothing was measured.</Empty>;
  const lines = linesOf(speed);
  const shown = lines.flatMap(({ points }) => points);
  const [least, most] = bounds(shown.map(({ run_ms: ms }) => ms));
  const rows = [...new Set(shown.map((point) => point.rows))].sort((a, b) => a - b);
  const x = scale(rows[0]!, rows.at(-1)!, LEFT, width - 20);
  const y = scale(least, most, HEIGHT - BOTTOM, TOP);
  const fastest =
    rows.length > 1 ? shown.reduce((a, b) => (a.run_ms / a.rows <= b.run_ms / b.rows ? a : b)) : undefined;
  return (
    <figure className="sluice-overlay" ref={container}>
      <svg className="sluice-batch" width={width} height={HEIGHT} role="img" aria-label={spoken(lines)}>
        {ticks(least, most).map((ms) => (
          <g key={ms}>
            <line className="sluice-axis" x1={LEFT} x2={width} y1={y(ms)} y2={y(ms)} />
            <text className="sluice-tick" x={LEFT - 8} y={y(ms) + 4} textAnchor="end">
              {duration(ms)}
            </text>
          </g>
        ))}
        {rows.map((row) => (
          <text className="sluice-tick" key={row} x={x(row)} y={HEIGHT - 4} textAnchor="middle">
            {row}
          </text>
        ))}
        {lines.map(({ length, points }, at) => (
          <g className={`sluice-line sluice-line-${at}`} key={length}>
            <polyline points={points.map((point) => `${x(point.rows)},${y(point.run_ms)}`).join(' ')} />
            {points.map((point) => (
              <circle key={point.rows} cx={x(point.rows)} cy={y(point.run_ms)} r={3.5}>
                <title>{`${point.rows} rows: ${duration(point.run_ms)}, ${duration(point.run_ms / point.rows)} a row`}</title>
              </circle>
            ))}
          </g>
        ))}
      </svg>
      <figcaption className="sluice-legend">
        {lines.map(({ length }, at) => (
          <span className={`sluice-key-line sluice-key-line-${at}`} key={length}>
            rows of {length} element{length === 1 ? '' : 's'}
          </span>
        ))}
        <span>across: rows in a run</span>
        {fastest !== undefined && (
          <span>
            cheapest: {duration(fastest.run_ms / fastest.rows)} a row with {fastest.rows} rows
          </span>
        )}
      </figcaption>
    </figure>
  );
}

/** The shortest, the longest and what lies between. */
function linesOf(speed: readonly Speed[]): Line[] {
  const lengths = [...new Set(speed.map(({ length }) => length))].sort((a, b) => a - b);
  const step = Math.max(1, (lengths.length - 1) / (MOST_LINES - 1));
  const chosen = new Set(
    Array.from({ length: Math.min(MOST_LINES, lengths.length) }, (_, at) => lengths[Math.round(at * step)]!),
  );
  return [...chosen].map((length) => ({
    length,
    points: speed.filter((one) => one.length === length).sort((a, b) => a.rows - b.rows),
  }));
}

function bounds(values: readonly number[]): [number, number] {
  const [least, most] = [Math.max(1e-4, Math.min(...values)), Math.max(1e-4, ...values)];
  return [least / 1.2, most * 1.2];
}

function scale(from: number, until: number, start: number, end: number): (value: number) => number {
  if (from === until) return () => (start + end) / 2;
  const width = Math.log(until / from);
  return (value) => start + (Math.log(Math.max(value, 1e-4) / from) / width) * (end - start);
}

/** One, two and five of each power of ten, or fewer where those are many. */
function ticks(least: number, most: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power += 1)
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= least && value <= most) found.push(value);
    }
  if (found.length > 6) return found.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-9);
  // A curve that is nearly flat: by quarters of its own range.
  return found.length > 1 ? found : [1, 3].map((quarter) => round(least * (most / least) ** (quarter / 4)));
}

function round(value: number): number {
  return Number(value.toPrecision(2));
}

function spoken(lines: readonly Line[]): string {
  const told = lines.map(({ length, points }) => {
    const [first, last] = [points[0]!, points.at(-1)!];
    return `rows of ${length}: ${first.rows} in ${duration(first.run_ms)}, ${last.rows} in ${duration(last.run_ms)}`;
  });
  return `Duration of runs by rows. ${told.join('; ')}`;
}
