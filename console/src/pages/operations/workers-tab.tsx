import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { Pool } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useResource } from '../../data/use-resource.ts';
import { bytes, count, duration, NOTHING, percent, seconds } from '../../format/format.ts';

const EVERY_MS = 3_000;

type Worker = Pool['workers'][number];

/** Each pool: what waits in it, and its workers with the models that they hold. */
export function WorkersTab() {
  const api = useApi();
  const pools = useResource('pools', (signal) => api.call('pool-list', { signal }), { everyMs: EVERY_MS });
  return (
    <Loaded of={pools} minHeight="large" empty={{ when: ({ items }) => items.length === 0, says: 'There is no pool.' }}>
      {({ items }) => (
        <SpaceBetween size="l">
          {items.map((pool) => (
            <PoolPart key={pool.pool} pool={pool} />
          ))}
        </SpaceBetween>
      )}
    </Loaded>
  );
}

function PoolPart({ pool: { pool, lanes, workers } }: { readonly pool: Pool }) {
  const runners = workers.reduce((sum, each) => sum + each.runners, 0);
  const busy = workers.reduce((sum, each) => sum + (each.busy ?? 0), 0);
  return (
    <Container header={<Header variant="h2">Pool {pool}</Header>}>
      <SpaceBetween size="l">
        <Metrics>
          {lanes.map(({ lane, depth, oldest_s }) => (
            <Metric
              key={lane}
              label={`Waiting, ${lane}`}
              value={count(depth)}
              hint={oldest_s === null || oldest_s === 0 ? 'nothing waits' : `the oldest for ${seconds(oldest_s)}`}
            />
          ))}
          <Metric
            label="Workers"
            value={count(workers.length)}
            tone={workers.length === 0 ? 'bad' : undefined}
            hint={workers.length === 0 ? 'nobody takes work' : 'report and take work'}
          />
          <Metric
            label="Runners at work"
            value={`${count(busy)} of ${count(runners)}`}
            hint={runners === 0 ? NOTHING : percent(busy / runners)}
          />
        </Metrics>
        <Table
          variant="embedded"
          header={<Header variant="h3">Workers</Header>}
          items={workers}
          trackBy="worker"
          columnDefinitions={COLUMNS}
          wrapLines
          empty={<Empty>No worker reports. Jobs wait until one does.</Empty>}
        />
      </SpaceBetween>
    </Container>
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Worker>[] = [
  {
    id: 'worker',
    header: 'Worker',
    isRowHeader: true,
    minWidth: 150,
    cell: ({ worker, draining, at }) => (
      <>
        <code>{worker}</code>
        <Box variant="small" display="block">
          {draining && <StatusIndicator type="stopped">draining</StatusIndicator>} reported <RelativeTime at={at} />
        </Box>
      </>
    ),
  },
  {
    id: 'busy',
    header: 'At work',
    minWidth: 90,
    cell: ({ busy, runners }) => `${busy === null ? NOTHING : count(busy)} of ${count(runners)}`,
  },
  { id: 'backlog', header: 'Held back', minWidth: 90, cell: ({ backlog_ms }) => duration(backlog_ms) },
  { id: 'loaded', header: 'Loaded models', minWidth: 240, cell: ({ loaded }) => <LoadedModels loaded={loaded} /> },
  { id: 'memory', header: 'Memory', minWidth: 90, cell: ({ memory_bytes }) => bytes(memory_bytes) },
  { id: 'cpu', header: 'CPU', minWidth: 80, cell: ({ cpu_share }) => percent(cpu_share) },
  {
    id: 'gpu',
    header: 'GPU',
    minWidth: 120,
    cell: ({ gpu }) =>
      gpu === null ? NOTHING : `${percent(gpu.busy_share)}, ${bytes(gpu.memory_bytes)} of ${bytes(gpu.total_bytes)}`,
  },
  { id: 'up', header: 'Up', minWidth: 90, cell: ({ up_s }) => seconds(up_s) },
];

function LoadedModels({ loaded }: Pick<Worker, 'loaded'>) {
  if (loaded.length === 0) return <Box color="text-body-secondary">none</Box>;
  return (
    <ul className="sluice-list">
      {loaded.map(({ model, version, row_ms, breaker, warm }) => (
        <li key={`${model} ${version}`}>
          <PageLink to={`/models/${encodeURIComponent(model)}`}>{model}</PageLink> {version}{' '}
          <Box variant="small" display="inline">
            {row_ms === null ? '' : `${duration(row_ms)} a row`}
            {warm === null ? '' : `, warm in ${warm}`}
          </Box>{' '}
          {breaker !== 'closed' && <StatusIndicator type="error">breaker {breaker}</StatusIndicator>}
        </li>
      ))}
    </ul>
  );
}
