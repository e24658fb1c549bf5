import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { DeadLetter } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useAction } from '../../data/use-action.ts';
import { usePages } from '../../data/use-pages.ts';
import { count, NOTHING } from '../../format/format.ts';
import { useNotify } from '../../shell/notices.tsx';

const EVERY_MS = 10_000;
const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

type Asked = { readonly verb: 'redrive' | 'discard'; readonly letter: DeadLetter };

/** Accepted predictions that nobody could handle: why, and once that is mended, again. */
export function DeadLettersTab() {
  const api = useApi();
  const { tenant: own } = useWho();
  const [wanted, setWanted] = useState('');
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const tenant = own ?? (TENANT_ID.test(wanted) ? wanted : undefined);
  const pages = usePages(
    `dead-letters ${tenant ?? ''}`,
    (cursor, signal) => {
      const query = { limit: 50, ...(cursor !== undefined && { cursor }) };
      return own === undefined
        ? api.call('dead-letter-list', { query: { ...query, ...(tenant !== undefined && { tenant }) }, signal })
        : api.call('tenant-dead-letter-list', { params: { tenant: own }, query, signal });
    },
    { everyMs: EVERY_MS },
  );
  const { page } = pages;
  return (
    <>
      <Loaded of={page} minHeight="large">
        {({ items }) => (
          <Table
            header={
              <Header
                variant="h2"
                description="Accepted predictions that nobody could handle, newest first, kept for 14 days. What was answered stays what it is; a redrive runs as a prediction of its own."
              >
                Dead letters
              </Header>
            }
            filter={
              own === undefined ? (
                <div className="sluice-narrow">
                  <Input
                    value={wanted}
                    onChange={({ detail }) => setWanted(detail.value.trim())}
                    placeholder="Tenant"
                    ariaLabel="Dead letters of a tenant"
                    type="search"
                    clearAriaLabel="All tenants"
                  />
                </div>
              ) : undefined
            }
            pagination={<PageTurner of={pages} label="Dead letters" />}
            items={items}
            trackBy="id"
            columnDefinitions={columns(own === undefined, setAsked)}
            wrapLines
            empty={<Empty>No dead letter. Everything that was accepted was handled.</Empty>}
          />
        )}
      </Loaded>
      {asked && (
        <Confirm
          asked={asked}
          onClose={(done) => {
            setAsked(undefined);
            if (done) void page.refresh();
          }}
        />
      )}
    </>
  );
}

function columns(ofAll: boolean, ask: (asked: Asked) => void): readonly TableProps.ColumnDefinition<DeadLetter>[] {
  return [
    {
      id: 'prediction',
      header: 'Prediction',
      isRowHeader: true,
      minWidth: 180,
      cell: ({ prediction, lane, pool }) => (
        <>
          <code>{prediction}</code>
          <Box variant="small" display="block">
            {pool} · {lane}
          </Box>
        </>
      ),
    },
    ...(ofAll ? [{ id: 'tenant', header: 'Tenant', minWidth: 110, cell: ({ tenant }: DeadLetter) => tenant }] : []),
    {
      id: 'model',
      header: 'Model',
      minWidth: 140,
      cell: ({ model, version }) => (model === null ? NOTHING : `${model} ${version ?? ''}`),
    },
    {
      id: 'reason',
      header: 'Reason',
      minWidth: 140,
      cell: ({ reason, attempts }) => (
        <>
          <code>{reason}</code>
          <Box variant="small" display="block">
            after {count(attempts)} {attempts === 1 ? 'attempt' : 'attempts'}
          </Box>
        </>
      ),
    },
    { id: 'at', header: 'Since', minWidth: 100, cell: ({ at }) => <RelativeTime at={at} /> },
    {
      id: 'verbs',
      header: 'Actions',
      minWidth: 260,
      cell: (letter) => (
        <div className="sluice-verbs">
          <Button
            wrapText={false}
            ariaLabel={`Redrive ${letter.prediction}`}
            disabled={!letter.redrivable}
            disabledReason="Nothing is left of it that could be run"
            onClick={() => ask({ verb: 'redrive', letter })}
          >
            Redrive
          </Button>
          <Button
            wrapText={false}
            ariaLabel={`Discard ${letter.prediction}`}
            onClick={() => ask({ verb: 'discard', letter })}
          >
            Discard
          </Button>
        </div>
      ),
    },
  ];
}

function Confirm({
  asked: { verb, letter },
  onClose,
}: {
  readonly asked: Asked;
  readonly onClose: (done: boolean) => void;
}) {
  const api = useApi();
  const notify = useNotify();
  const params = { tenant: letter.tenant, letter: letter.id };
  const action = useAction(async () => {
    if (verb === 'discard') {
      await api.call('dead-letter-discard', { params });
      return 'discarded';
    }
    const { prediction } = await api.call('dead-letter-redrive', { params });
    return prediction;
  });
  const close = (result: string | undefined) => {
    if (result !== undefined) {
      const text =
        verb === 'discard' ? `${letter.prediction} is discarded` : `${letter.prediction} runs again as ${result}`;
      notify({ type: 'success', text });
    }
    onClose(result !== undefined);
  };
  const what = letter.model === null ? '' : ` of ${letter.model} ${letter.version ?? ''}`;
  return verb === 'redrive' ? (
    <ConfirmDialog title="Run it again?" verb="Redrive" action={action} onClose={close}>
      The prediction <code>{letter.prediction}</code>
      {what} of {letter.tenant} is queued once more and counts against the tenant’s quota. It failed with{' '}
      <code>{letter.reason}</code>: see that this is mended first.
    </ConfirmDialog>
  ) : (
    <ConfirmDialog title="Discard it?" verb="Discard" action={action} onClose={close}>
      What was sent with <code>{letter.prediction}</code>
      {what} of {letter.tenant} is deleted. It cannot be run any more.
    </ConfirmDialog>
  );
}
