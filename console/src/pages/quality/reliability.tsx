import type { Feedback } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { count, percent } from '../../format/format.ts';

const [SIZE, MARGIN] = [260, 34];
const PLOT = SIZE - 2 * MARGIN;
const TICKS = [0, 0.5, 1];
const [LEAST_RADIUS, MORE_RADIUS] = [3, 9];

/** Where confidence tells the truth, points lie on the diagonal; the larger, the more rows. */
export function Reliability({ calibration }: { readonly calibration: Feedback['calibration'] }) {
  if (calibration.length === 0) return <Empty>This model says nothing of how sure it is.</Empty>;
  const most = Math.max(...calibration.map(({ count: rows }) => rows));
  const x = (share: number) => MARGIN + share * PLOT;
  const y = (share: number) => SIZE - MARGIN - share * PLOT;
  return (
    <svg className="sluice-reliability" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={spoken(calibration)}>
      {TICKS.map((tick) => (
        <g key={tick}>
          <line x1={x(0)} x2={x(1)} y1={y(tick)} y2={y(tick)} />
          <text x={x(0) - 6} y={y(tick) + 4} textAnchor="end">
            {percent(tick)}
          </text>
          <text x={x(tick)} y={y(0) + 16} textAnchor="middle">
            {percent(tick)}
          </text>
        </g>
      ))}
      <line className="sluice-ideal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
      {calibration.map(({ confidence, accuracy, count: rows }) => (
        <circle
          key={confidence}
          cx={x(confidence)}
          cy={y(accuracy)}
          r={LEAST_RADIUS + MORE_RADIUS * Math.sqrt(rows / most)}
        >
          <title>{sentence({ confidence, accuracy, count: rows })}</title>
        </circle>
      ))}
      <text x={x(0.5)} y={SIZE - 2} textAnchor="middle">
        confidence
      </text>
    </svg>
  );
}

type Bin = Feedback['calibration'][number];

function sentence({ confidence, accuracy, count: rows }: Bin): string {
  return `${percent(confidence)} sure, ${percent(accuracy)} right (${count(rows)})`;
}

function spoken(calibration: readonly Bin[]): string {
  return `Calibration: ${calibration.map(sentence).join('; ')}`;
}
