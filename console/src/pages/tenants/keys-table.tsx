import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { ApiKey } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useAction } from '../../data/use-action.ts';
import { useNow } from '../../data/use-now.ts';
import { useResource } from '../../data/use-resource.ts';
import { date } from '../../format/format.ts';
import { useNotify } from '../../shell/notices.tsx';
import { CreateKey } from './create-key.tsx';

const EVERY_MS = 30_000;

/** API keys of a tenant. The text of one is shown once, when it is made. */
export function KeysTable({ tenant }: { readonly tenant: string }) {
  const api = useApi();
  const notify = useNotify();
  const nowMs = useNow();
  const [creating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<ApiKey | undefined>(undefined);
  const keys = useResource(`keys ${tenant}`, (signal) => api.call('key-list', { params: { tenant }, signal }), {
    everyMs: EVERY_MS,
  });
  const revoke = useAction(async (_reason: string) => {
    await api.call('key-revoke', { params: { tenant, key: revoked?.id ?? '' } });
    return true;
  });
  return (
    <>
      <Loaded of={keys} minHeight="large">
        {({ items }) => (
          <Table
            header={
              <Header
                variant="h2"
                counter={`(${items.filter((key) => stateOf(key, nowMs) === 'valid').length} valid)`}
                description="What the tenant's servers call with. A browser gets a token of 15 minutes from one of them."
                actions={<Button onClick={() => setCreating(true)}>Create a key</Button>}
              >
                API keys
              </Header>
            }
            items={items}
            trackBy="id"
            wrapLines
            columnDefinitions={columns(nowMs, setRevoked)}
            empty={<Empty>There is no key: nobody can call in this tenant's name.</Empty>}
          />
        )}
      </Loaded>
      {creating && (
        <CreateKey
          tenant={tenant}
          onClose={(created) => {
            setCreating(false);
            if (created) void keys.refresh();
          }}
        />
      )}
      {revoked !== undefined && (
        <ConfirmDialog
          title={`Revoke the key "${revoked.label}"?`}
          verb="Revoke"
          action={revoke}
          onClose={(done) => {
            setRevoked(undefined);
            if (done !== true) return;
            notify({ type: 'success', text: `The key "${revoked.label}" is refused from now on.` });
            void keys.refresh();
          }}
        >
          Whoever calls with <code>{revoked.id}</code> is refused within a second, and the browser tokens that came of
          it end. It cannot be taken back.
        </ConfirmDialog>
      )}
    </>
  );
}

function stateOf({ revoked_at_ms, expires_at_ms }: ApiKey, nowMs: number): 'valid' | 'revoked' | 'expired' {
  if (revoked_at_ms !== null) return 'revoked';
  return expires_at_ms !== null && expires_at_ms <= nowMs ? 'expired' : 'valid';
}

const STATES = { valid: 'success', revoked: 'stopped', expired: 'stopped' } as const;

function columns(nowMs: number, onRevoke: (key: ApiKey) => void): readonly TableProps.ColumnDefinition<ApiKey>[] {
  return [
    {
      id: 'label',
      header: 'Key',
      minWidth: 180,
      isRowHeader: true,
      cell: ({ label, id }) => (
        <>
          {label}
          <Box variant="small" display="block">
            <code>{id}</code>
          </Box>
        </>
      ),
    },
    { id: 'role', header: 'Role', minWidth: 120, cell: ({ role }) => role },
    { id: 'models', header: 'Models', minWidth: 130, cell: ({ models }) => models?.join(', ') ?? 'all' },
    { id: 'created', header: 'Made', minWidth: 100, cell: ({ created_at_ms }) => <RelativeTime at={created_at_ms} /> },
    {
      id: 'expires',
      header: 'Valid until',
      minWidth: 120,
      cell: ({ expires_at_ms }) => (expires_at_ms === null ? 'revoked' : date(expires_at_ms)),
    },
    {
      id: 'state',
      header: 'State',
      minWidth: 110,
      cell: (key) => {
        const state = stateOf(key, nowMs);
        return <StatusIndicator type={STATES[state]}>{state}</StatusIndicator>;
      },
    },
    {
      id: 'actions',
      header: <span className="sluice-hidden">Actions</span>,
      minWidth: 100,
      cell: (key) =>
        stateOf(key, nowMs) === 'valid' && (
          <Button variant="inline-link" onClick={() => onRevoke(key)} ariaLabel={`Revoke the key ${key.label}`}>
            Revoke
          </Button>
        ),
    },
  ];
}
