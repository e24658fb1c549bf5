import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useMemo } from 'react';
import type { SyntheticCheck } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { duration } from '../../format/format.ts';

const EVERY_MS = 15_000;

/** What the platform finds when it calls itself as a customer would. */
export function ChecksTab() {
  const api = useApi();
  const checks = useResource('checks', (signal) => api.call('check-list', { signal }), { everyMs: EVERY_MS });
  return (
    <Loaded of={checks} minHeight="large">
      {({ items }) => (
        <SpaceBetween size="l">
          <CheckTimes checks={items} />
          <Table
            header={
              <Header
                variant="h2"
                counter={`(${items.length})`}
                description="Through the public path, once a minute, newest first"
              >
                Synthetic checks
              </Header>
            }
            items={items}
            trackBy={({ check, at }) => `${check} ${at}`}
            columnDefinitions={COLUMNS}
            empty={<Empty>No check has run yet. The first does within a minute.</Empty>}
          />
        </SpaceBetween>
      )}
    </Loaded>
  );
}

function CheckTimes({ checks }: { readonly checks: readonly SyntheticCheck[] }) {
  const series = useMemo(() => {
    const names = [...new Set(checks.map(({ check }) => check))].sort();
    return names.map((title) => ({
      title,
      points: checks
        .filter(({ check }) => check === title)
        .map(({ at, ms }) => ({ at, value: ms }))
        .reverse(),
    }));
  }, [checks]);
  return (
    <Container header={<Header variant="h2">How long they took</Header>}>
      <TimeChart series={series} label="Time that each check took" format={duration} height={160} />
    </Container>
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<SyntheticCheck>[] = [
  { id: 'check', header: 'Check', isRowHeader: true, cell: ({ check }) => check },
  {
    id: 'outcome',
    header: 'Outcome',
    cell: ({ ok, status }) => (
      <StatusIndicator type={ok ? 'success' : 'error'}>
        {ok ? 'ok' : status === 0 ? 'no answer' : `failed with ${status}`}
      </StatusIndicator>
    ),
  },
  { id: 'ms', header: 'Took', cell: ({ ms }) => <span className="sluice-figures">{duration(ms)}</span> },
  { id: 'at', header: 'When', cell: ({ at }) => <RelativeTime at={at} /> },
];
