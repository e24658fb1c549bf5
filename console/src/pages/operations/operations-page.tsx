import Tabs from '@cloudscape-design/components/tabs';
import type { ReactNode } from 'react';
import { useLocation, useParams } from 'wouter';
import { useWho } from '../../api/context.ts';
import { type Role, reaches } from '../../auth/who.ts';
import { Page } from '../../components/page.tsx';
import { AlarmsTab } from './alarms-tab.tsx';
import { AuditTab } from './audit-tab.tsx';
import { ChecksTab } from './checks-tab.tsx';
import { DeadLettersTab } from './dead-letters-tab.tsx';
import { LogLevelTab } from './log-level-tab.tsx';
import { WorkersTab } from './workers-tab.tsx';

type Tab = { readonly id: string; readonly label: string; readonly role: Role; readonly content: ReactNode };

const TABS: readonly Tab[] = [
  { id: 'workers', label: 'Queues and workers', role: 'operator', content: <WorkersTab /> },
  { id: 'dead-letters', label: 'Dead letters', role: 'tenant-admin', content: <DeadLettersTab /> },
  { id: 'alarms', label: 'Alarms', role: 'operator', content: <AlarmsTab /> },
  { id: 'checks', label: 'Checks', role: 'operator', content: <ChecksTab /> },
  { id: 'log-level', label: 'Log level', role: 'operator', content: <LogLevelTab /> },
  { id: 'audit', label: 'Audit', role: 'tenant-admin', content: <AuditTab /> },
];

/** What runs, what went wrong, and who did what. A tenant sees its own dead letters and audit. */
export function OperationsPage() {
  const { role, tenant } = useWho();
  const { tab } = useParams<{ tab?: string }>();
  const [, navigate] = useLocation();
  const shown = TABS.filter((each) => reaches(role, each.role));
  const active = shown.find(({ id }) => id === tab) ?? shown[0];
  return (
    <Page
      title="Operations"
      description={
        tenant === undefined ? 'Queues, workers and what became of work' : `What became of the work of ${tenant}`
      }
    >
      <Tabs
        activeTabId={active?.id ?? ''}
        onChange={({ detail }) => navigate(`/operations/${detail.activeTabId}`)}
        tabs={shown.map(({ id, label, content }) => ({ id, label, content: id === active?.id ? content : null }))}
        ariaLabel="Operations"
        i18nStrings={{ scrollLeftAriaLabel: 'Scroll left', scrollRightAriaLabel: 'Scroll right' }}
      />
    </Page>
  );
}
