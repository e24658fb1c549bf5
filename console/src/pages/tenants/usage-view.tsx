import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { PlanLimits, Tenant } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { reaches } from '../../auth/who.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, duration, shortCount, usd } from '../../format/format.ts';

const EVERY_MS = 5_000;

/** What the tenant has used of what it may. */
export function UsageView({ tenant }: { readonly tenant: Tenant }) {
  const api = useApi();
  const { role } = useWho();
  const usage = useResource(
    `usage ${tenant.id}`,
    (signal) => api.call('tenant-usage', { params: { tenant: tenant.id }, signal }),
    { everyMs: EVERY_MS },
  );
  return (
    <SpaceBetween size="l">
      <Loaded of={usage} minHeight="medium">
        {({ compute_ms, daily_compute_ms, in_flight, requests_in_flight, month }) => (
          <SpaceBetween size="l">
            <Container header={<Header variant="h2">Today and now</Header>}>
              <div className="sluice-quotas">
                <ProgressBar
                  value={percentOf(compute_ms, daily_compute_ms)}
                  label="Compute today"
                  description="Since midnight UTC"
                  additionalInfo={`${duration(compute_ms)} of ${duration(daily_compute_ms)}`}
                />
                <ProgressBar
                  value={percentOf(in_flight, requests_in_flight)}
                  label="Requests in flight"
                  description="At this moment"
                  additionalInfo={`${count(in_flight)} of ${count(requests_in_flight)}`}
                />
              </div>
            </Container>
            <Container header={<Header variant="h2">This month</Header>}>
              <Metrics>
                <Metric label="Requests" value={shortCount(month.requests)} hint={`${count(month.rows)} predictions`} />
                <Metric label="Compute" value={duration(month.compute_ms)} hint="measured in runs" />
                <Metric label="Cost" value={usd(month.cost_usd)} hint="since the month began, UTC" />
              </Metrics>
            </Container>
          </SpaceBetween>
        )}
      </Loaded>
      {reaches(role, 'operator') && <Limits tenant={tenant} />}
    </SpaceBetween>
  );
}

/** To a tenth of a percent, as it is read out. */
function percentOf(used: number, granted: number): number {
  return granted === 0 ? 0 : Math.min(100, Math.round((1000 * used) / granted) / 10);
}

type Granted = PlanLimits[keyof PlanLimits];
type Limit = { readonly name: keyof PlanLimits; readonly plan: Granted | undefined; readonly own: Granted | undefined };

/** What the plan grants, and what this tenant is granted instead. */
function Limits({ tenant }: { readonly tenant: Tenant }) {
  const api = useApi();
  const plans = useResource('plans', (signal) => api.call('plan-list', { signal }));
  return (
    <Loaded of={plans} minHeight="medium">
      {({ items }) => {
        const granted = items.find(({ id }) => id === tenant.plan)?.limits;
        const names = Object.keys(granted ?? {}) as (keyof PlanLimits)[];
        return (
          <Table
            header={
              <Header variant="h2" description={`What the plan ${tenant.plan} grants, and this tenant instead`}>
                Limits
              </Header>
            }
            items={names.map((name): Limit => ({ name, plan: granted?.[name], own: tenant.overrides[name] }))}
            trackBy="name"
            columnDefinitions={COLUMNS}
          />
        );
      }}
    </Loaded>
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Limit>[] = [
  { id: 'name', header: 'Limit', isRowHeader: true, cell: ({ name }) => name.replaceAll('_', ' ').replace(/ ms$/, '') },
  {
    id: 'plan',
    header: 'Plan',
    cell: ({ name, plan }) => <span className="sluice-figures">{written(name, plan)}</span>,
  },
  {
    id: 'own',
    header: 'This tenant',
    cell: ({ name, plan, own }) => (
      <span className="sluice-figures">{own === undefined ? written(name, plan) : <b>{written(name, own)}</b>}</span>
    ),
  },
];

function written(name: keyof PlanLimits, value: Granted | undefined): string {
  if (typeof value !== 'number') return value?.join(', ') ?? 'all';
  return name.endsWith('_ms') ? duration(value) : count(value);
}
