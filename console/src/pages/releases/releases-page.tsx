import './releases.css';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useLocation, useSearchParams } from 'wouter';
import type { Release } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { usePages } from '../../data/use-pages.ts';
import { stateOf, trafficOf } from './release-words.ts';

const PAGE = 25;
const LIVE_MS = 3_000;

/** Releases of all models, those under way or all, the newest first. */
export function ReleasesPage() {
  const [, navigate] = useLocation();
  return (
    <Page
      title="Releases"
      description="A new version of a model on its way from nobody to everybody, and back at any point."
      actions={
        <Button variant="primary" onClick={() => navigate('/releases/start')}>
          Start a release
        </Button>
      }
    >
      <ReleasesTable />
    </Page>
  );
}

function ReleasesTable() {
  const api = useApi();
  const [search, setSearch] = useSearchParams();
  const state = search.get('state') === 'active' ? 'active' : 'all';
  const pages = usePages(
    `releases ${state}`,
    (cursor, signal) =>
      api.call('release-list-all', {
        query: { state, limit: PAGE, ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    { everyMs: LIVE_MS },
  );
  const { page } = pages;
  return (
    <SpaceBetween size="m">
      {page.kind === 'failed' && <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />}
      {page.kind === 'ready' && page.staleBecause !== undefined && <ProblemAlert error={page.staleBecause} />}
      <Table
        header={<Header variant="h2">{state === 'active' ? 'Under way' : 'All releases'}</Header>}
        filter={
          <SegmentedControl
            label="Which releases"
            selectedId={state}
            options={[
              { id: 'all', text: 'All' },
              { id: 'active', text: 'Under way' },
            ]}
            onChange={({ detail }) => setSearch(detail.selectedId === 'all' ? {} : { state: detail.selectedId })}
          />
        }
        pagination={<PageTurner of={pages} label="Pages of releases" />}
        items={page.kind === 'ready' ? page.value.items : []}
        loading={page.kind === 'loading'}
        loadingText="Loading releases"
        trackBy="id"
        wrapLines
        columnDefinitions={COLUMNS}
        empty={<NoReleases state={state} />}
      />
    </SpaceBetween>
  );
}

function NoReleases({ state }: { readonly state: 'active' | 'all' }) {
  return (
    <Box textAlign="center" color="text-body-secondary" padding="l">
      {state === 'active' ? 'No release is under way.' : 'No version was released yet. Start one once it is pushed.'}
    </Box>
  );
}

const COLUMNS: readonly TableProps.ColumnDefinition<Release>[] = [
  {
    id: 'model',
    header: 'Release',
    cell: ({ id, model, stable, candidate, attempt }) => (
      <>
        <PageLink to={`/releases/${id}`}>{model}</PageLink>
        <Box variant="small" color="text-body-secondary" display="block">
          {stable} → {candidate}
          {attempt > 1 && `, attempt ${attempt}`}
        </Box>
      </>
    ),
    minWidth: 170,
  },
  {
    id: 'state',
    header: 'State',
    cell: (release) => (
      <>
        <StatusIndicator type={stateOf(release).tone} wrapText={false}>
          {stateOf(release).text}
        </StatusIndicator>
        {release.step !== null && (
          <Box variant="small" color="text-body-secondary" display="block">
            step {release.step} of {release.steps}
          </Box>
        )}
      </>
    ),
    minWidth: 185,
  },
  {
    id: 'share',
    header: 'On the candidate',
    cell: (release) => <Weight release={release} />,
    minWidth: 190,
  },
  {
    id: 'verdict',
    header: 'Verdict or reason',
    cell: ({ verdict, why }) => <span className="sluice-clamp">{why ?? verdict?.sentence ?? '–'}</span>,
    minWidth: 200,
  },
  {
    id: 'started',
    header: 'Started',
    cell: ({ started_at_ms: at, started_by: by }) => (
      <>
        <RelativeTime at={at} />
        <Box variant="small" color="text-body-secondary" display="block">
          by {by}
        </Box>
      </>
    ),
    minWidth: 130,
  },
];

function Weight({ release }: { readonly release: Release }) {
  if (release.state === 'rolled-back') return <>–</>;
  const percent = release.state === 'promoted' ? 100 : release.weight_percent;
  return (
    <div className="sluice-weight">
      <div className="sluice-weight-track" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </div>
      {release.state === 'promoted' ? 'everybody' : trafficOf(release)}
    </div>
  );
}
