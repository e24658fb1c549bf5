import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useApi } from '../../api/context.ts';
import { PageLink } from '../../components/page-link.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useResource } from '../../data/use-resource.ts';

/** Pins are kept with their tenants: all of those are looked through, as far as one page of them goes. */
const LOOKED_THROUGH = 1000;

/** Tenants that stay on a version of the model whatever releases say. */
export function PinnedTenants({ model }: { readonly model: string }) {
  const api = useApi();
  const tenants = useResource('tenants with pins', (signal) =>
    api.call('tenant-list', { query: { limit: LOOKED_THROUGH }, signal }),
  );
  if (tenants.kind === 'failed') return <ProblemAlert error={tenants.error} onRetry={() => void tenants.refresh()} />;
  const all = tenants.kind === 'ready' ? tenants.value.items : [];
  const pinned = all.flatMap(({ id, name, pins }) =>
    pins[model] === undefined ? [] : [{ id, name, version: pins[model] }],
  );
  const isWhole = tenants.kind !== 'ready' || tenants.value.next === null;
  return (
    <Table
      header={
        <Header description="They stay on their version, whatever releases say, until the pin is removed.">
          Pinned tenants
        </Header>
      }
      items={pinned}
      loading={tenants.kind === 'loading'}
      loadingText="Loading tenants"
      trackBy="id"
      empty={<Box color="text-body-secondary">No tenant is pinned to a version of it.</Box>}
      footer={isWhole ? undefined : `Of the first ${LOOKED_THROUGH} tenants; others are not looked through here.`}
      columnDefinitions={[
        { id: 'tenant', header: 'Tenant', cell: ({ id }) => <PageLink to={`/tenants/${id}`}>{id}</PageLink> },
        { id: 'name', header: 'Name', cell: ({ name }) => name },
        {
          id: 'version',
          header: 'Version',
          cell: ({ version }) => (
            <PageLink to={`/models/${model}/versions/${version}`}>{`Version ${version}`}</PageLink>
          ),
        },
      ]}
    />
  );
}
