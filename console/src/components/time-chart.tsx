import { type KeyboardEvent, type PointerEvent, useId, useState } from 'react';
import { dateTime, figure, type Moment, timeIn, toMs } from '../format/format.ts';
import { nearest, niceTicks, timeTicks } from './chart-scale.ts';
import { useWidth } from './use-width.ts';

export type TimeSeries = {
  readonly title: string;
  /** Null where there is nothing: the line is broken there. */
  readonly points: readonly { readonly at: Moment; readonly value: number | null | undefined }[];
  /** Of what is bad, and of the versions of a release on its own pages; others take the colours of charts in turn. */
  readonly tone?: 'bad' | 'stable' | 'candidate';
  /** The other of two that are compared, such as the stable version beside its candidate. */
  readonly dashed?: boolean;
};

type TimeChartProps = {
  readonly series: readonly TimeSeries[];
  /** What is drawn, to who cannot see it. */
  readonly label: string;
  /** Writes a value with its unit. */
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** Horizontal lines, such as a limit. */
  readonly thresholds?: readonly { readonly title: string; readonly value: number }[];
  /** Shown whole even where there are no points; from the first to the last otherwise. */
  readonly span?: readonly [Moment, Moment];
};

const MARGIN = { top: 8, right: 12, bottom: 24, left: 64 };

type Point = { readonly ms: number; readonly value: number | undefined };
type Line = Omit<TimeSeries, 'points'> & { readonly points: readonly Point[]; readonly color: string };

/**
 * Lines over time, of one unit. Its height is the same with data and without. Values are read by pointing at it, or by the
 * arrow keys once it has the focus.
 */
export function TimeChart(props: TimeChartProps) {
  const { series, label, format = figure, height = 200, thresholds = [], span } = props;
  const [container, width] = useWidth();
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const lines = series.map((each, place) => toLine(each, place));
  const moments = [...new Set(lines.flatMap(({ points }) => points.map(({ ms }) => ms)))].sort((a, b) => a - b);
  const [fromMs, untilMs] = domainOf(moments, span);
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => (value === undefined ? [] : [value])));
  const yTicks = niceTicks(Math.max(0, ...values, ...thresholds.map(({ value }) => value)), height < 140 ? 2 : 4);
  const top = yTicks.at(-1) ?? 1;
  const inner = { width: Math.max(1, width - MARGIN.left - MARGIN.right), height: height - MARGIN.top - MARGIN.bottom };
  const x = (ms: number) => MARGIN.left + ((ms - fromMs) / Math.max(1, untilMs - fromMs)) * inner.width;
  const y = (value: number) => MARGIN.top + inner.height * (1 - value / top);
  const last = moments.length - 1;
  const at = chosen === undefined ? undefined : moments[Math.min(chosen, last)];
  const point = (event: PointerEvent<HTMLElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const ms = fromMs + ((event.clientX - left - MARGIN.left) / inner.width) * (untilMs - fromMs);
    setChosen(moments.length === 0 ? undefined : nearest(moments, ms));
  };
  const move = (event: KeyboardEvent) => {
    const to = { ArrowLeft: (chosen ?? last) - 1, ArrowRight: (chosen ?? -1) + 1, Home: 0, End: last }[event.key];
    if (event.key === 'Escape') setChosen(undefined);
    if (to === undefined || moments.length === 0) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, to)));
  };
  const says = at === undefined ? summaryOf(lines, format) : valuesAt(lines, at, format);
  return (
    <figure className="sluice-chart" ref={container}>
      <div
        className="sluice-chart-plot"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, Math.min(chosen ?? last, last))}
        aria-valuetext={says}
        onKeyDown={move}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setChosen(undefined)}
        onBlur={() => setChosen(undefined)}
      >
        <svg width={width} height={height} aria-hidden="true">
          <Axes
            width={width}
            height={height}
            x={x}
            y={y}
            yTicks={yTicks}
            xTicks={timeTicks(fromMs, untilMs, Math.max(2, Math.floor(inner.width / 90)))}
            thresholds={thresholds}
            format={format}
          />
          {at !== undefined && (
            <line className="sluice-chart-cursor" x1={x(at)} x2={x(at)} y1={MARGIN.top} y2={height - MARGIN.bottom} />
          )}
          {lines.map((line) => (
            <Drawn key={line.title} line={line} x={x} y={y} at={at} />
          ))}
        </svg>
        {values.length === 0 && <div className="sluice-chart-empty">No data</div>}
        {at !== undefined && <Tip lines={lines} at={at} format={format} left={x(at)} flip={x(at) > width / 2} />}
      </div>
      {lines.length + thresholds.length > 1 && <Legend lines={lines} thresholds={thresholds} />}
    </figure>
  );
}

function Axes(props: {
  readonly width: number;
  readonly height: number;
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly thresholds: readonly { readonly title: string; readonly value: number }[];
  readonly format: (value: number) => string;
}) {
  const { width, height, x, y, xTicks, yTicks, thresholds, format } = props;
  const spanMs = (xTicks.at(-1) ?? 0) - (xTicks[0] ?? 0);
  const across = { x1: MARGIN.left, x2: width - MARGIN.right };
  return (
    <>
      {yTicks.map((tick) => (
        <g key={tick}>
          <line className="sluice-chart-grid" {...across} y1={y(tick)} y2={y(tick)} />
          <text className="sluice-chart-tick" x={MARGIN.left - 8} y={y(tick) + 4} textAnchor="end">
            {format(tick)}
          </text>
        </g>
      ))}
      {xTicks.map((tick) => (
        <text key={tick} className="sluice-chart-tick" x={x(tick)} y={height - 6} textAnchor="middle">
          {timeIn(tick, spanMs)}
        </text>
      ))}
      {thresholds.map(({ title, value }) => (
        <line key={title} className="sluice-chart-threshold" {...across} y1={y(value)} y2={y(value)} />
      ))}
    </>
  );
}

function Drawn(props: {
  readonly line: Line;
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
  readonly at: number | undefined;
}) {
  const { line, x, y, at } = props;
  const value = line.points.find(({ ms }) => ms === at)?.value;
  return (
    <g style={{ color: line.color }}>
      {runsOf(line.points).map((run) => {
        const [first] = run;
        if (first === undefined) return null;
        if (run.length === 1)
          return <circle key={first.ms} cx={x(first.ms)} cy={y(first.value)} r="2.5" fill="currentColor" />;
        const path = run.map(
          ({ ms, value }, place) => `${place === 0 ? 'M' : 'L'}${x(ms).toFixed(1)} ${y(value).toFixed(1)}`,
        );
        return (
          <path
            key={first.ms}
            className={`sluice-chart-line${line.dashed ? ' sluice-chart-dashed' : ''}`}
            d={path.join('')}
          />
        );
      })}
      {at !== undefined && value !== undefined && <circle cx={x(at)} cy={y(value)} r="4" fill="currentColor" />}
    </g>
  );
}

function Tip(props: {
  readonly lines: readonly Line[];
  readonly at: number;
  readonly format: (value: number) => string;
  readonly left: number;
  readonly flip: boolean;
}) {
  const { lines, at, format, left, flip } = props;
  return (
    <div className={`sluice-chart-tip${flip ? ' sluice-chart-tip-left' : ''}`} style={{ left }}>
      <strong>{dateTime(at)}</strong>
      {lines.map(({ title, color, points }) => {
        const value = points.find(({ ms }) => ms === at)?.value;
        return (
          <span key={title} className="sluice-chart-tip-row">
            <i className="sluice-chart-key" style={{ background: color }} />
            {title} <b>{value === undefined ? '–' : format(value)}</b>
          </span>
        );
      })}
    </div>
  );
}

function Legend({
  lines,
  thresholds,
}: {
  readonly lines: readonly Line[];
  readonly thresholds: readonly { readonly title: string }[];
}) {
  const id = useId();
  return (
    <ul className="sluice-chart-legend" id={id}>
      {lines.map(({ title, color, dashed }) => (
        <li key={title}>
          <i
            className={`sluice-chart-key${dashed ? ' sluice-chart-key-dashed' : ''}`}
            style={dashed ? { color } : { background: color }}
          />
          {title}
        </li>
      ))}
      {thresholds.map(({ title }) => (
        <li key={title}>
          <i className="sluice-chart-key sluice-chart-key-threshold" />
          {title}
        </li>
      ))}
    </ul>
  );
}

function toLine({ points, ...rest }: TimeSeries, place: number): Line {
  return {
    ...rest,
    color: rest.tone === undefined ? `var(--series-${(place % 5) + 1})` : `var(--${rest.tone})`,
    points: points.flatMap(({ at, value }) => {
      const ms = toMs(at);
      return ms === undefined ? [] : [{ ms, value: typeof value === 'number' ? value : undefined }];
    }),
  };
}

function domainOf(moments: readonly number[], span: TimeChartProps['span']): readonly [number, number] {
  const from = toMs(span?.[0]) ?? moments[0] ?? 0;
  return [from, toMs(span?.[1]) ?? moments.at(-1) ?? from + 1];
}

/** Parts of a line between its gaps. */
function runsOf(points: readonly Point[]): readonly (readonly { readonly ms: number; readonly value: number }[])[] {
  const runs: { readonly ms: number; readonly value: number }[][] = [[]];
  for (const { ms, value } of points) {
    if (value === undefined) runs.push([]);
    else runs.at(-1)?.push({ ms, value });
  }
  return runs.filter((run) => run.length > 0);
}

function summaryOf(lines: readonly Line[], format: (value: number) => string): string {
  const texts = lines.map(({ title, points }) => {
    const values = points.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const now = values.at(-1);
    if (now === undefined) return `${title}: no data`;
    return `${title}: ${format(now)} at last, ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  });
  return texts.join('; ');
}

function valuesAt(lines: readonly Line[], at: number, format: (value: number) => string): string {
  const texts = lines.map(({ title, points }) => {
    const value = points.find(({ ms }) => ms === at)?.value;
    return `${title} ${value === undefined ? 'no data' : format(value)}`;
  });
  return `${dateTime(at)}: ${texts.join(', ')}`;
}
