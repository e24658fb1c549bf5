import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { ReactNode } from 'react';
import type { Alarm } from '../api/api.ts';
import { inUnit } from '../format/format.ts';
import { Empty } from './loaded.tsx';
import { RelativeTime } from './relative-time.tsx';

const ORDER = { alarm: 0, 'no-data': 1, ok: 2 } as const;

/** Alarms that sound first, those that wake somebody before others, each with what to do. */
export function AlarmTable({
  alarms,
  title,
  empty,
  all = alarms.length,
}: {
  readonly alarms: readonly Alarm[];
  readonly title: string;
  readonly empty: ReactNode;
  /** How many there are where not all of them are shown. */
  readonly all?: number;
}) {
  const sorted = [...alarms].sort(
    (a, b) => ORDER[a.state] - ORDER[b.state] || (a.severity === b.severity ? 0 : a.severity === 'page' ? -1 : 1),
  );
  const sounding = alarms.filter(({ state }) => state === 'alarm').length;
  return (
    <Table
      header={
        <Header variant="h2" counter={`(${sounding > 0 ? `${sounding}/` : ''}${all})`}>
          {title}
        </Header>
      }
      items={sorted}
      trackBy="id"
      columnDefinitions={COLUMNS}
      wrapLines
      empty={<Empty>{empty}</Empty>}
    />
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Alarm>[] = [
  { id: 'state', header: 'State', cell: (alarm) => <AlarmStateText alarm={alarm} />, minWidth: 110 },
  {
    id: 'alarm',
    header: 'Alarm',
    cell: (alarm) => (
      <>
        <Box fontWeight="bold">
          {alarm.name} {alarm.severity === 'page' && alarm.state === 'alarm' && <Badge color="red">page</Badge>}
        </Box>
        <Box color="text-body-secondary">{alarm.says}</Box>
      </>
    ),
    minWidth: 220,
    isRowHeader: true,
  },
  { id: 'of', header: 'Of', cell: ({ of }) => Object.values(of).join(' · ') || 'the region', minWidth: 120 },
  {
    id: 'value',
    header: 'Value',
    cell: ({ value, threshold, unit, is }) => (
      <>
        {inUnit(value, unit)}
        <Box variant="small" display="block">
          {is === 'below' ? 'below' : 'from'} {inUnit(threshold, unit)}
        </Box>
      </>
    ),
    minWidth: 110,
  },
  { id: 'since', header: 'Since', cell: ({ since }) => <RelativeTime at={since} />, minWidth: 100 },
  {
    id: 'runbook',
    header: 'Runbook',
    cell: ({ runbook_url: url, name }) => <Runbook url={url} name={name} />,
    minWidth: 110,
  },
];

function AlarmStateText({ alarm: { state, severity } }: { readonly alarm: Alarm }) {
  if (state === 'ok') return <StatusIndicator type="success">ok</StatusIndicator>;
  if (state === 'no-data') return <StatusIndicator type="pending">no data</StatusIndicator>;
  return <StatusIndicator type={severity === 'page' ? 'error' : 'warning'}>alarm</StatusIndicator>;
}

/** An address only where it is one: a deployment that names no place for its runbook has a path in the repository. */
function Runbook({ url, name }: { readonly url: string; readonly name: string }) {
  if (!/^https?:\/\//.test(url)) return <code>{url}</code>;
  return (
    <Link href={url} external ariaLabel={`Runbook of ${name}`}>
      What to do
    </Link>
  );
}
