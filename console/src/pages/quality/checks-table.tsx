import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { QualityCheck, TenantQualityCheck } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { count, figure } from '../../format/format.ts';
import { METHOD_TEXTS, subjectOf } from './quality-words.ts';

type Shown = QualityCheck | TenantQualityCheck;

/** How far each thing that is compared is from the reference. */
export function ChecksTable({ checks }: { readonly checks: readonly Shown[] }) {
  const isWhole = checks.some((check) => 'samples' in check);
  return (
    <Table
      header={
        <Header
          variant="h2"
          description="Distances, not probabilities: what is far apart is drift, however many rows say so."
        >
          Distance from the reference
        </Header>
      }
      items={checks}
      trackBy={({ name, method }) => `${name} ${method}`}
      wrapLines
      columnDefinitions={isWhole ? COLUMNS : COLUMNS.filter(({ id }) => id !== 'samples')}
      empty={<Empty>Nothing was compared yet.</Empty>}
    />
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Shown>[] = [
  { id: 'subject', header: 'Of', minWidth: 180, isRowHeader: true, cell: subjectOf },
  { id: 'method', header: 'Measured by', minWidth: 190, cell: ({ method }) => METHOD_TEXTS[method] },
  {
    id: 'value',
    header: 'Distance',
    minWidth: 110,
    cell: ({ value }) => <span className="sluice-figures">{figure(value)}</span>,
  },
  {
    id: 'threshold',
    header: 'Drifted above',
    minWidth: 110,
    cell: ({ threshold }) => <span className="sluice-figures">{figure(threshold)}</span>,
  },
  {
    id: 'state',
    header: 'State',
    minWidth: 170,
    cell: (check) => {
      if ('judged' in check && !check.judged) return <StatusIndicator type="pending">too few rows</StatusIndicator>;
      if (!check.drifted) return <StatusIndicator type="success">as the reference</StatusIndicator>;
      const isAlarm = check.windows_in_a_row >= check.alarms_after;
      return (
        <StatusIndicator type={isAlarm ? 'error' : 'warning'}>
          drifted {check.windows_in_a_row} of {check.alarms_after} windows
        </StatusIndicator>
      );
    },
  },
  { id: 'samples', header: 'Rows', minWidth: 80, cell: (check) => ('samples' in check ? count(check.samples) : null) },
];
