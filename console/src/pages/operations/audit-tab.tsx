import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { AuditEntry } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { usePages } from '../../data/use-pages.ts';
import { count, dateTime } from '../../format/format.ts';

type Filter = {
  readonly by: string;
  readonly action: string;
  readonly tenant: string;
  readonly range: DateRangePickerProps.Value | null;
};

const NO_FILTER: Filter = { by: '', action: '', tenant: '', range: null };

/** Who did what, when and what came of it; a tenant sees its own. */
export function AuditTab() {
  const api = useApi();
  const { tenant: own } = useWho();
  const [typed, setTyped] = useState(NO_FILTER);
  const [filter, setFilter] = useState(NO_FILTER);
  const pages = usePages(`audit ${JSON.stringify(filter)}`, (cursor, signal) => {
    const query = { limit: 50, ...toQuery(filter), ...(cursor !== undefined && { cursor }) };
    if (own !== undefined) return api.call('tenant-audit-list', { params: { tenant: own }, query, signal });
    const tenant = filter.tenant === '' ? {} : { tenant: filter.tenant };
    return api.call('audit-list', { query: { ...query, ...tenant }, signal });
  });
  return (
    <SpaceBetween size="l">
      {own === undefined && <Verification />}
      <form
        className="sluice-filter"
        onSubmit={(event) => {
          event.preventDefault();
          setFilter(typed);
        }}
      >
        <DateRangePicker
          value={typed.range}
          onChange={({ detail }) => setTyped({ ...typed, range: detail.value })}
          relativeOptions={RANGES}
          isValidRange={() => ({ valid: true })}
          placeholder="Any time"
          i18nStrings={RANGE_TEXTS}
          dateOnly={false}
        />
        <Input
          value={typed.by}
          onChange={({ detail }) => setTyped({ ...typed, by: detail.value })}
          placeholder="By: key:1a2b…"
          ariaLabel="By whom"
        />
        <Input
          value={typed.action}
          onChange={({ detail }) => setTyped({ ...typed, action: detail.value })}
          placeholder="Action: release-verb"
          ariaLabel="Action"
        />
        {own === undefined && (
          <Input
            value={typed.tenant}
            onChange={({ detail }) => setTyped({ ...typed, tenant: detail.value })}
            placeholder="Tenant"
            ariaLabel="Tenant"
          />
        )}
        <Button formAction="submit" variant="primary">
          Search
        </Button>
      </form>
      <Loaded of={pages.page} minHeight="large">
        {({ items }) => (
          <Table
            header={
              <Header
                variant="h2"
                actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={() => void pages.page.refresh()} />}
              >
                Audit
              </Header>
            }
            pagination={<PageTurner of={pages} label="Audit" />}
            items={items}
            trackBy={({ seq }) => String(seq)}
            columnDefinitions={COLUMNS}
            wrapLines
            empty={<Empty>Nothing was changed, or nothing that fits the search.</Empty>}
          />
        )}
      </Loaded>
    </SpaceBetween>
  );
}

/** Whether the chain of entries is whole. */
function Verification() {
  const api = useApi();
  const [found, setFound] = useState<Awaited<ReturnType<typeof verify>> | undefined>(undefined);
  const verify = () => api.call('audit-verify');
  const action = useAction(async () => setFound(await verify()));
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="s" alignItems="center">
        <Button onClick={() => void action.run()} loading={action.running}>
          Verify the chain
        </Button>
        {found?.ok && (
          <StatusIndicator type="success">
            {count(found.entries)} entries are as they were written
            {found.complete ? '' : ', and more were not reached in time'}
          </StatusIndicator>
        )}
      </SpaceBetween>
      {found !== undefined && !found.ok && (
        <Alert type="error" header={`The chain is broken at entry ${found.broken_at_seq}`}>
          {found.why}
        </Alert>
      )}
      {action.error !== undefined && <ProblemAlert error={action.error} />}
    </SpaceBetween>
  );
}

const OUTCOMES = { done: 'success', refused: 'stopped', failed: 'error', begun: 'in-progress' } as const;

const COLUMNS: readonly TableProps.ColumnDefinition<AuditEntry>[] = [
  { id: 'at', header: 'When', minWidth: 150, cell: ({ at }) => dateTime(at) },
  {
    id: 'by',
    header: 'By',
    minWidth: 150,
    cell: ({ by, role }) => (
      <>
        <code>{by}</code>
        <Box variant="small" display="block">
          {role}
        </Box>
      </>
    ),
  },
  { id: 'action', header: 'Action', minWidth: 150, isRowHeader: true, cell: ({ action }) => <code>{action}</code> },
  {
    id: 'target',
    header: 'Of',
    minWidth: 160,
    cell: ({ target }) =>
      Object.entries(target).map(([name, value]) => (
        <div key={name}>
          <Box variant="small" display="inline">
            {name}
          </Box>{' '}
          {value}
        </div>
      )),
  },
  {
    id: 'outcome',
    header: 'Outcome',
    minWidth: 140,
    cell: ({ outcome, status, code, skipped }) => (
      <>
        <StatusIndicator type={OUTCOMES[outcome]}>{outcome}</StatusIndicator>
        <Box variant="small" display="block">
          {[status, code, skipped === null ? null : `${skipped} more like it`]
            .filter((each) => each !== null)
            .join(' · ')}
        </Box>
      </>
    ),
  },
  { id: 'reason', header: 'Reason', minWidth: 140, cell: ({ reason }) => reason },
  { id: 'seq', header: 'Entry', minWidth: 80, cell: ({ seq }) => count(seq) },
];

function toQuery({ by, action, range }: Filter): { from?: string; until?: string; by?: string; action?: string } {
  const [from, until] = spanOf(range);
  return {
    ...(by.trim() !== '' && { by: by.trim() }),
    ...(action.trim() !== '' && { action: action.trim() }),
    ...(from !== undefined && { from: from.toISOString() }),
    ...(until !== undefined && { until: until.toISOString() }),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

function spanOf(range: Filter['range']): readonly [Date?, Date?] {
  if (range === null) return [];
  if (range.type === 'absolute') return [new Date(range.startDate), new Date(range.endDate)];
  return [new Date(Date.now() - range.amount * (UNIT_MS[range.unit] ?? 86_400_000))];
}

const RANGES: readonly DateRangePickerProps.RelativeOption[] = [
  { key: 'hour', amount: 1, unit: 'hour', type: 'relative' },
  { key: 'day', amount: 1, unit: 'day', type: 'relative' },
  { key: 'week', amount: 7, unit: 'day', type: 'relative' },
  { key: 'month', amount: 30, unit: 'day', type: 'relative' },
];

const RANGE_TEXTS: DateRangePickerProps.I18nStrings = {
  formatRelativeRange: ({ amount, unit }) => `Last ${amount === 1 ? unit : `${amount} ${unit}s`}`,
  formatUnit: (unit, amount) => (amount === 1 ? unit : `${unit}s`),
  relativeModeTitle: 'Until now',
  absoluteModeTitle: 'From and until',
  relativeRangeSelectionHeading: 'The last',
  customRelativeRangeOptionLabel: 'Another span',
  customRelativeRangeOptionDescription: 'As long as you like',
  customRelativeRangeDurationLabel: 'How many',
  customRelativeRangeUnitLabel: 'Unit',
  startDateLabel: 'From',
  startTimeLabel: 'at',
  endDateLabel: 'Until',
  endTimeLabel: 'at',
  clearButtonLabel: 'Any time',
  cancelButtonLabel: 'Cancel',
  applyButtonLabel: 'Apply',
  ariaLabel: 'When',
  previousMonthAriaLabel: 'Previous month',
  nextMonthAriaLabel: 'Next month',
  todayAriaLabel: 'Today',
};
