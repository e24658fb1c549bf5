import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import type { ReleaseDetail } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useResource } from '../../data/use-resource.ts';
import { dateTime } from '../../format/format.ts';

/** Verbs of people and changes of capacity: some tens in most releases. */
const SHOWN = 500;

/** Who did what, when and why, the last first; read anew with every change of the release. */
export function AuditTable({ release }: { readonly release: ReleaseDetail }) {
  const api = useApi();
  const audits = useResource(`audits of ${release.id} ${release.epoch}`, (signal) =>
    api.call('release-audit-list', { params: { release: release.id }, query: { limit: SHOWN }, signal }),
  );
  if (audits.kind === 'failed') return <ProblemAlert error={audits.error} onRetry={() => void audits.refresh()} />;
  const items = audits.kind === 'ready' ? audits.value.items.toReversed() : [];
  return (
    <Table
      header={
        <Header
          counter={audits.kind === 'ready' ? `(${items.length})` : undefined}
          description="Kept with each change."
        >
          History
        </Header>
      }
      items={items}
      loading={audits.kind === 'loading'}
      loadingText="Loading"
      trackBy={({ epoch, what, at_ms: at }) => `${epoch} ${what} ${at}`}
      wrapLines
      contentDensity="compact"
      empty="Nothing yet"
      columnDefinitions={[
        { id: 'at', header: 'When', cell: ({ at_ms: at }) => dateTime(at), minWidth: 185 },
        { id: 'by', header: 'Who', cell: ({ by }) => <code>{by}</code>, minWidth: 150 },
        { id: 'what', header: 'What', cell: ({ what }) => what, minWidth: 170 },
        { id: 'why', header: 'Why', cell: ({ why }) => why, minWidth: 260 },
      ]}
    />
  );
}
