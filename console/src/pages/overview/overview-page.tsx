import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';
import { HOUR_MS, MINUTE_MS } from '../../../../core/units.ts';
import type { Overview } from '../../api/api.ts';
import { useApi, useRegions } from '../../api/context.ts';
import { AlarmTable } from '../../components/alarm-table.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, duration, percent, perSecond, seconds, shortCount, usd } from '../../format/format.ts';
import { ActiveReleases } from './active-releases.tsx';
import { Regions } from './regions.tsx';

export const OVERVIEW_EVERY_MS = 5_000;

/** A region at a glance: where an operator looks first. */
export function OverviewPage() {
  const api = useApi();
  const { region } = useRegions();
  const overview = useResource('overview', (signal) => api.call('overview', { signal }), {
    everyMs: OVERVIEW_EVERY_MS,
  });
  return (
    <Page
      title="Overview"
      description={
        overview.kind === 'ready' ? (
          <>
            Region {region.id}, as of <RelativeTime at={overview.value.at} />
          </>
        ) : (
          `Region ${region.id}`
        )
      }
    >
      <Regions />
      <Loaded of={overview} minHeight="large">
        {(value) => <Glance overview={value} />}
      </Loaded>
    </Page>
  );
}

function Glance({ overview }: { readonly overview: Overview }) {
  const sounding = overview.alarms.filter(({ state }) => state === 'alarm');
  return (
    <SpaceBetween size="l">
      <Figures overview={overview} sounding={sounding.length} />
      <LastHour overview={overview} />
      <div className="sluice-columns">
        <ActiveReleases releases={overview.active_releases} />
        <Queues queues={overview.queues} />
      </div>
      <AlarmTable
        alarms={sounding}
        title="Alarms"
        all={overview.alarms.length}
        empty={
          <>
            {overview.alarms.length === 0 ? 'Nothing was measured yet. It is once a minute.' : 'No alarm sounds.'}{' '}
            <PageLink to="/operations/alarms">All alarms</PageLink>
          </>
        }
      />
    </SpaceBetween>
  );
}

function Figures({ overview, sounding }: { readonly overview: Overview; readonly sounding: number }) {
  const { error_rate: errorRate, busy_share: busyShare, active_releases: releases } = overview;
  const oldestS = Math.max(0, ...overview.queues.map(({ oldest_s }) => oldest_s ?? 0));
  const waiting = overview.queues.reduce((sum, { depth }) => sum + depth, 0);
  return (
    <Container>
      <Metrics>
        <Metric
          label="Requests"
          value={perSecond(overview.requests_per_s)}
          hint={`${shortCount(overview.requests_last_hour)} in the last hour`}
        />
        <Metric
          label="Latency, p95"
          value={duration(overview.p95_ms)}
          hint={overview.p50_ms === null ? 'nobody has asked lately' : `half within ${duration(overview.p50_ms)}`}
        />
        <Metric
          label="Errors"
          value={percent(errorRate)}
          hint="failed through the platform"
          tone={errorRate === null || errorRate === 0 ? undefined : errorRate >= 0.01 ? 'bad' : 'warning'}
        />
        <Metric
          label="Waiting"
          value={count(waiting)}
          hint={oldestS > 0 ? `the oldest for ${seconds(oldestS)}` : 'none for long'}
        />
        <Metric
          label="Workers"
          value={count(overview.workers)}
          hint={`${count(overview.runners)} runners, ${percent(busyShare)} busy`}
          tone={overview.workers === 0 ? 'bad' : undefined}
        />
        <Metric label="Cost today" value={usd(overview.cost_today_usd)} hint="compute, since midnight UTC" />
        <Metric label="Releases" value={count(releases.length)} hint="under way" />
        <Metric
          label="Alarms"
          value={count(sounding)}
          hint={sounding === 0 ? 'none sounds' : 'sounding'}
          tone={sounding === 0 ? 'good' : 'bad'}
        />
      </Metrics>
    </Container>
  );
}

function LastHour({ overview: { series, at } }: { readonly overview: Overview }) {
  const untilMs = Date.parse(at);
  const span = [untilMs - HOUR_MS, untilMs] as const;
  const charts = useMemo(() => {
    const minutes = everyMinute(series, Date.parse(at));
    const of = (pick: (step: Overview['series'][number]) => number | null, none: number | null) =>
      minutes.map(({ ms, step }) => ({ at: ms, value: step === undefined ? none : pick(step) }));
    return {
      traffic: [
        { title: 'Requests', points: of(({ requests }) => requests / 60, 0) },
        { title: 'Errors', points: of(({ errors }) => errors / 60, 0), tone: 'bad' as const },
      ],
      latency: [{ title: 'p95', points: of(({ p95_ms }) => p95_ms, null) }],
    };
  }, [series, at]);
  return (
    <div className="sluice-columns">
      <Container header={<Header variant="h2">Requests, last hour</Header>}>
        <TimeChart
          series={charts.traffic}
          span={span}
          label="Requests and errors a second over the last hour"
          format={perSecond}
        />
      </Container>
      <Container header={<Header variant="h2">Latency, last hour</Header>}>
        <TimeChart
          series={charts.latency}
          span={span}
          label="Latency that 95 percent stay within, over the last hour"
          format={duration}
        />
      </Container>
    </div>
  );
}

/** The API leaves out minutes in which nothing happened. */
function everyMinute(series: Overview['series'], untilMs: number) {
  const steps = new Map(series.map((step) => [Date.parse(step.at), step]));
  const firstMs = Math.ceil((untilMs - HOUR_MS) / MINUTE_MS) * MINUTE_MS;
  const minutes = Math.floor((untilMs - firstMs) / MINUTE_MS);
  return Array.from({ length: minutes }, (_, place) => {
    const ms = firstMs + place * MINUTE_MS;
    return { ms, step: steps.get(ms) };
  });
}

function Queues({ queues }: { readonly queues: Overview['queues'] }) {
  return (
    <Container header={<Header variant="h2">Queues</Header>}>
      <dl className="sluice-rows">
        {queues.map(({ pool, lane, depth, oldest_s }) => (
          <div key={`${pool} ${lane}`}>
            <dt>
              {pool} · {lane}
            </dt>
            <dd className="sluice-figures">
              {count(depth)} waiting{oldest_s !== null && oldest_s > 0 ? `, the oldest for ${seconds(oldest_s)}` : ''}
            </dd>
          </div>
        ))}
      </dl>
    </Container>
  );
}
