import LineChart from '@cloudscape-design/components/line-chart';
import type { MixedLineBarChartProps } from '@cloudscape-design/components/mixed-line-bar-chart';
import { figure, type Moment, time, toMs } from '../format/format.ts';

export type TimeSeries = {
  readonly title: string;
  /** Null where there is nothing: the line is broken there. */
  readonly points: readonly { readonly at: Moment; readonly value: number | null | undefined }[];
};

type TimeChartProps = {
  readonly series: readonly TimeSeries[];
  readonly label: string;
  /** Writes a value with its unit. */
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** Horizontal lines, such as a limit. */
  readonly thresholds?: readonly { readonly title: string; readonly value: number }[];
  /** Shown whole even where there are no points; all points otherwise. */
  readonly span?: readonly [Moment, Moment];
};

/** Lines over time, of one unit. Its height is the same with data and without. */
export function TimeChart({ series, label, format = figure, height = 200, thresholds = [], span }: TimeChartProps) {
  const lines: MixedLineBarChartProps<Date>['series'] = [
    ...series.map(({ title, points }) => ({
      type: 'line' as const,
      title,
      valueFormatter: format,
      data: points.flatMap(({ at, value }) => {
        const ms = toMs(at);
        return ms === undefined || typeof value !== 'number' ? [] : [{ x: new Date(ms), y: value }];
      }),
    })),
    ...thresholds.map(({ title, value }) => ({ type: 'threshold' as const, title, y: value, valueFormatter: format })),
  ];
  const moments = (span ?? series.flatMap(({ points }) => points.map(({ at }) => at))).map((at) => toMs(at) ?? 0);
  const highest = Math.max(
    0,
    ...series.flatMap(({ points }) => points.map(({ value }) => value ?? 0)),
    ...thresholds.map(({ value }) => value),
  );
  return (
    <LineChart
      series={lines as never}
      xScaleType="time"
      {...(moments.length > 0 && { xDomain: [new Date(Math.min(...moments)), new Date(Math.max(...moments))] })}
      yDomain={[0, highest === 0 ? 1 : highest * 1.1]}
      height={height}
      hideFilter
      hideLegend={series.length + thresholds.length < 2}
      ariaLabel={label}
      i18nStrings={{
        xTickFormatter: (at) => time(at.getTime()),
        yTickFormatter: format,
        chartAriaRoleDescription: 'line chart',
        xAxisAriaRoleDescription: 'time',
        yAxisAriaRoleDescription: 'value',
        detailPopoverDismissAriaLabel: 'Close',
        legendAriaLabel: 'Lines',
      }}
      detailPopoverSeriesContent={({ series: of, y }) => ({ key: of.title, value: format(y) })}
      empty="No data"
    />
  );
}
