import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import type { Metrics } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Metric } from '../../components/metric.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, duration, figure, percent } from '../../format/format.ts';

const REFRESH_MS = 5_000;

/** What a version did in the last hour, by minute. */
export function MetricsView({ model, version }: { readonly model: string; readonly version: string }) {
  const api = useApi();
  const metrics = useResource(
    `metrics ${model} ${version}`,
    (signal) => api.call('model-metrics', { params: { model }, query: { version }, signal }),
    { everyMs: REFRESH_MS },
  );
  return (
    <Loaded of={metrics} minHeight="large">
      {(value) => <Shown metrics={value} />}
    </Loaded>
  );
}

function Shown({ metrics }: { readonly metrics: Metrics }) {
  const { total, items } = metrics;
  const span = [metrics.from, metrics.until] as const;
  const line = (title: string, of: (item: Metrics['items'][number]) => number | null) => ({
    title,
    points: items.map((item) => ({ at: item.at, value: of(item) })),
  });
  return (
    <SpaceBetween size="l">
      <Container header={<Header description="Of the last hour.">Version {metrics.version}</Header>}>
        <div className="sluice-metrics">
          <Metric label="Requests" value={count(total.requests)} />
          <Metric label="Error rate" value={percent(total.error_rate)} />
          <Metric label="p50" value={duration(total.p50_ms)} />
          <Metric label="p95" value={duration(total.p95_ms)} />
          <Metric label="p99" value={duration(total.p99_ms)} />
          <Metric label="Rows a run" value={figure(total.batch_rows_mean)} />
          <Metric label="Cache hits" value={count(total.cache_hits)} />
          <Metric label="Fallbacks" value={count(total.fallbacks)} />
        </div>
      </Container>
      <div className="sluice-charts">
        <Container header={<Header variant="h3">Requests a minute</Header>}>
          <TimeChart
            label="Requests a minute"
            span={span}
            format={count}
            series={[line('Requests', (item) => item.requests)]}
          />
        </Container>
        <Container header={<Header variant="h3">Latency</Header>}>
          <TimeChart
            label="Latency"
            span={span}
            format={duration}
            series={[
              line('p50', (item) => item.p50_ms),
              line('p95', (item) => item.p95_ms),
              line('p99', (item) => item.p99_ms),
            ]}
          />
        </Container>
        <Container header={<Header variant="h3">Error rate</Header>}>
          <TimeChart
            label="Error rate"
            span={span}
            format={percent}
            series={[line('Errors', (item) => item.error_rate)]}
          />
        </Container>
      </div>
      <div className="sluice-charts">
        <Shares title="Labels" column="Share" of={Object.entries(total.labels)} format={percent} empty="No labels" />
        <Shares
          title="Tenants"
          column="Requests"
          of={total.tenants.map(({ tenant, requests }) => [tenant, requests])}
          format={count}
          empty="No requests"
        />
        <Shares
          title="Errors by code"
          column="Requests"
          of={Object.entries(total.errors_by_code)}
          format={count}
          empty="No errors"
        />
      </div>
    </SpaceBetween>
  );
}

function Shares(props: {
  readonly title: string;
  /** What the figures are. */
  readonly column: string;
  readonly of: readonly (readonly [string, number])[];
  readonly format: (value: number) => string;
  readonly empty: string;
}) {
  const { title, column, of, format, empty } = props;
  const items = [...of].sort(([, a], [, b]) => b - a).map(([name, value]) => ({ name, value }));
  return (
    <Container header={<Header variant="h3">{title}</Header>}>
      <Table
        variant="embedded"
        contentDensity="compact"
        items={items}
        trackBy="name"
        empty={empty}
        wrapLines
        ariaLabels={{ tableLabel: title }}
        columnDefinitions={[
          { id: 'name', header: 'Name', cell: ({ name }) => name },
          { id: 'value', header: column, cell: ({ value }) => format(value), width: 110 },
        ]}
      />
    </Container>
  );
}
