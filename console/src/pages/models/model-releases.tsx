import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useApi } from '../../api/context.ts';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { usePages } from '../../data/use-pages.ts';
import { stateOf } from '../releases/release-words.ts';

const PAGE = 20;
const REFRESH_MS = 5_000;

/** Releases of one model, the newest first. */
export function ModelReleases({ model }: { readonly model: string }) {
  const api = useApi();
  const pages = usePages(
    `releases of ${model}`,
    (cursor, signal) =>
      api.call('release-list', {
        params: { model },
        query: { limit: PAGE, ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    { everyMs: REFRESH_MS },
  );
  const { page } = pages;
  if (page.kind === 'failed') return <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />;
  return (
    <Table
      header={<Header>Releases</Header>}
      pagination={<PageTurner of={pages} label="Pages of releases" />}
      items={page.kind === 'ready' ? page.value.items : []}
      loading={page.kind === 'loading'}
      loadingText="Loading releases"
      trackBy="id"
      empty="No version of it was released yet."
      wrapLines
      columnDefinitions={[
        {
          id: 'versions',
          header: 'Versions',
          cell: ({ id, stable, candidate }) => <PageLink to={`/releases/${id}`}>{`${stable} → ${candidate}`}</PageLink>,
          width: 130,
        },
        {
          id: 'state',
          header: 'State',
          cell: (release) => (
            <StatusIndicator type={stateOf(release).tone} wrapText={false}>
              {stateOf(release).text}
            </StatusIndicator>
          ),
          minWidth: 170,
        },
        { id: 'why', header: 'Reason', cell: ({ why }) => why ?? '–', minWidth: 200 },
        { id: 'by', header: 'By', cell: ({ started_by: by }) => <code>{by}</code>, minWidth: 150 },
        { id: 'at', header: 'Started', cell: ({ started_at_ms: at }) => <RelativeTime at={at} />, width: 130 },
      ]}
    />
  );
}
