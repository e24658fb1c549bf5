import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Tenant } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { usePages } from '../../data/use-pages.ts';
import { date } from '../../format/format.ts';
import { CreateTenant } from './create-tenant.tsx';

const PAGE = 25;
const EVERY_MS = 30_000;
const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Customers at home in this region, in order of their ids. */
export function TenantsPage() {
  const [, navigate] = useLocation();
  const [creating, setCreating] = useState(false);
  return (
    <Page
      title="Tenants"
      description="Customers whose data are at home in this region."
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          Create a tenant
        </Button>
      }
    >
      <TenantsTable />
      {creating && (
        <CreateTenant
          onClose={(created) => {
            setCreating(false);
            if (created !== undefined) navigate(`/tenants/${created.id}`);
          }}
        />
      )}
    </Page>
  );
}

function TenantsTable() {
  const api = useApi();
  const pages = usePages(
    'tenants',
    (cursor, signal) =>
      api.call('tenant-list', { query: { limit: PAGE, ...(cursor !== undefined && { cursor }) }, signal }),
    { everyMs: EVERY_MS },
  );
  const { page } = pages;
  return (
    <SpaceBetween size="m">
      {page.kind === 'failed' && <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />}
      <Table
        header={<Header variant="h2">Tenants</Header>}
        filter={<OpenById />}
        pagination={<PageTurner of={pages} label="Pages of tenants" />}
        items={page.kind === 'ready' ? page.value.items : []}
        loading={page.kind === 'loading'}
        loadingText="Loading tenants"
        trackBy="id"
        columnDefinitions={COLUMNS}
        empty={<Empty>No customer is at home here yet.</Empty>}
      />
    </SpaceBetween>
  );
}

/** A tenant is opened by its id: of very many nobody turns pages. */
function OpenById() {
  const [, navigate] = useLocation();
  const [id, setId] = useState('');
  const isId = TENANT_ID.test(id);
  return (
    <form
      className="sluice-filter"
      onSubmit={(event) => {
        event.preventDefault();
        if (isId) navigate(`/tenants/${id}`);
      }}
    >
      <Input
        value={id}
        onChange={({ detail }) => setId(detail.value.trim())}
        placeholder="Id of a tenant"
        ariaLabel="Id of a tenant"
        invalid={id !== '' && !isId}
      />
      <Button formAction="submit" disabled={!isId}>
        Open
      </Button>
    </form>
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Tenant>[] = [
  {
    id: 'id',
    header: 'Tenant',
    minWidth: 180,
    isRowHeader: true,
    cell: ({ id, name }) => (
      <>
        <PageLink to={`/tenants/${id}`}>{id}</PageLink>
        <Box variant="small" display="block">
          {name}
        </Box>
      </>
    ),
  },
  { id: 'plan', header: 'Plan', minWidth: 110, cell: ({ plan }) => plan },
  {
    id: 'state',
    header: 'State',
    minWidth: 130,
    cell: ({ suspended }) => (
      <StatusIndicator type={suspended ? 'stopped' : 'success'}>{suspended ? 'suspended' : 'active'}</StatusIndicator>
    ),
  },
  { id: 'pool', header: 'Workers', minWidth: 130, cell: ({ pool }) => pool ?? 'shared' },
  { id: 'created', header: 'Since', minWidth: 120, cell: ({ created_at_ms }) => date(created_at_ms) },
];
