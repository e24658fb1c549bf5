import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import { DAY_MS } from '../../../../core/units.ts';
import type { TenantCostItem } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, date, seconds, usd } from '../../format/format.ts';

const EVERY_MS = 60_000;
const SPANS = { 7: 'Last 7 days', 30: 'Last 30 days', 90: 'Last 90 days' } as const;

/** What the tenant cost, by day and by model. */
export function CostView({ tenant }: { readonly tenant: string }) {
  const [days, setDays] = useState(30);
  const { from, until } = spanOf(days);
  const byDay = useCost(tenant, 'day', from, until);
  const byModel = useCost(tenant, 'model', from, until);
  return (
    <SpaceBetween size="l">
      <SegmentedControl
        selectedId={String(days)}
        onChange={({ detail }) => setDays(Number(detail.selectedId))}
        label="Span"
        options={Object.entries(SPANS).map(([id, text]) => ({ id, text }))}
      />
      <Loaded of={byDay} minHeight="large">
        {(cost) => (
          <Container
            header={
              <Header variant="h2" description="By UTC day">
                Cost
              </Header>
            }
          >
            <SpaceBetween size="m">
              <Metrics>
                <Metric label="Total" value={usd(cost.total_usd)} hint={SPANS[days as 7]} />
                <Metric label="Predictions" value={count(sum(cost.items, 'rows'))} hint="rows that were answered" />
                <Metric label="Compute" value={seconds(sum(cost.items, 'compute_s'))} hint="of runs, shared by rows" />
              </Metrics>
              <TimeChart
                series={[
                  { title: 'Cost', points: cost.items.map(({ day, cost_usd }) => ({ at: day, value: cost_usd })) },
                ]}
                label={`Cost of ${tenant} by day`}
                format={usd}
                span={[from, until]}
              />
            </SpaceBetween>
          </Container>
        )}
      </Loaded>
      <Loaded of={byModel} minHeight="medium">
        {({ items }) => (
          <Table
            header={<Header variant="h2">By model</Header>}
            items={items}
            trackBy={({ model }) => model ?? ''}
            columnDefinitions={COLUMNS}
            empty={<Empty>Nothing was computed for it in this span.</Empty>}
          />
        )}
      </Loaded>
    </SpaceBetween>
  );
}

function useCost(tenant: string, by: 'day' | 'model', from: string, until: string) {
  const api = useApi();
  return useResource(
    `cost of ${tenant} by ${by} ${from}`,
    (signal) => api.call('tenant-cost-read', { params: { tenant }, query: { by, from, until }, signal }),
    { everyMs: EVERY_MS },
  );
}

/** Whole UTC days, today the last. */
function spanOf(days: number): { readonly from: string; readonly until: string } {
  const tomorrow = (Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS;
  return { from: new Date(tomorrow - days * DAY_MS).toISOString(), until: new Date(tomorrow).toISOString() };
}

function sum(items: readonly TenantCostItem[], of: 'rows' | 'compute_s'): number {
  return items.reduce((total, item) => total + item[of], 0);
}

const figures = (text: string) => <span className="sluice-figures">{text}</span>;
const COLUMNS: readonly TableProps.ColumnDefinition<TenantCostItem>[] = [
  { id: 'key', header: 'Model', isRowHeader: true, cell: ({ model, day }) => model ?? date(day) },
  { id: 'cost', header: 'Cost', cell: ({ cost_usd }) => figures(usd(cost_usd)) },
  { id: 'thousand', header: 'Per thousand', cell: ({ usd_per_thousand }) => figures(usd(usd_per_thousand)) },
  { id: 'rows', header: 'Predictions', cell: ({ rows }) => figures(count(rows)) },
  { id: 'requests', header: 'Requests', cell: ({ requests }) => figures(count(requests)) },
  { id: 'compute', header: 'Compute', cell: ({ compute_s }) => figures(seconds(compute_s)) },
];
