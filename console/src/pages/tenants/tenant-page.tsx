import './tenants.css';
import Badge from '@cloudscape-design/components/badge';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useLocation, useParams } from 'wouter';
import { useApi, useWho } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { useResource } from '../../data/use-resource.ts';
import { CostView } from './cost-view.tsx';
import { KeysTable } from './keys-table.tsx';
import { SettingsView } from './settings-view.tsx';
import { UsageView } from './usage-view.tsx';

const EVERY_MS = 15_000;

/** One customer: what it may use and does, what that costs, its keys, and the end of its data. */
export function TenantPage() {
  const { tenant = '' } = useParams<{ tenant: string }>();
  return <TenantById tenant={tenant} above={[{ text: 'Tenants', path: '/tenants' }]} />;
}

/** The viewer's own tenant. */
export function OwnTenantPage() {
  const { tenant } = useWho();
  return tenant === undefined ? null : <TenantById tenant={tenant} above={[]} />;
}

type Above = readonly { readonly text: string; readonly path: string }[];

function TenantById({ tenant, above }: { readonly tenant: string; readonly above: Above }) {
  const api = useApi();
  const { tab = 'usage' } = useParams<{ tab?: string }>();
  const [location, navigate] = useLocation();
  const found = useResource(`tenant ${tenant}`, (signal) => api.call('tenant-read', { params: { tenant }, signal }), {
    everyMs: EVERY_MS,
  });
  const description =
    found.kind === 'ready' ? (
      <SpaceBetween direction="horizontal" size="xs">
        <span>{found.value.name}</span>
        <Badge>{found.value.plan}</Badge>
        {found.value.suspended && <Badge color="red">suspended</Badge>}
      </SpaceBetween>
    ) : undefined;
  const base = location.endsWith(`/${tab}`) ? location.slice(0, -tab.length - 1) : location;
  return (
    <Page title={tenant} above={above} description={description}>
      <Loaded of={found} minHeight="large">
        {(read) => (
          <Tabs
            activeTabId={tab}
            onChange={({ detail }) => navigate(`${base}/${detail.activeTabId}`)}
            ariaLabel={`Tenant ${tenant}`}
            i18nStrings={{ scrollLeftAriaLabel: 'Scroll left', scrollRightAriaLabel: 'Scroll right' }}
            tabs={[
              { id: 'usage', label: 'Usage', content: tab === 'usage' && <UsageView tenant={read} /> },
              { id: 'cost', label: 'Cost', content: tab === 'cost' && <CostView tenant={tenant} /> },
              { id: 'keys', label: 'Keys', content: tab === 'keys' && <KeysTable tenant={tenant} /> },
              {
                id: 'settings',
                label: 'Settings',
                content: tab === 'settings' && <SettingsView tenant={read} onChange={() => void found.refresh()} />,
              },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
