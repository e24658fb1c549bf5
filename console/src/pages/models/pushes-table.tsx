import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { Validation } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { PageLink } from '../../components/page-link.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useResource } from '../../data/use-resource.ts';

/** Pushes of 30 days are known; those that anybody looks back at are the last ones. */
const SHOWN = 50;
const REFRESH_MS = 3_000;

const STATES = {
  queued: { tone: 'pending', text: 'Waiting' },
  running: { tone: 'in-progress', text: 'Being validated' },
  accepted: { tone: 'success', text: 'Accepted' },
  refused: { tone: 'error', text: 'Refused' },
} as const;

/** What became of the last pushes of a model, and of one that is validated now, how far it is. */
export function PushesTable({ model }: { readonly model: string }) {
  const api = useApi();
  const pushes = useResource(
    `pushes of ${model}`,
    (signal) => api.call('validation-list', { params: { model }, query: { limit: SHOWN }, signal }),
    { everyMs: REFRESH_MS },
  );
  if (pushes.kind === 'failed') return <ProblemAlert error={pushes.error} onRetry={() => void pushes.refresh()} />;
  return (
    <Table
      header={<Header description="Of the last 30 days, the newest first.">Pushes</Header>}
      items={pushes.kind === 'ready' ? pushes.value.items : []}
      loading={pushes.kind === 'loading'}
      loadingText="Loading pushes"
      trackBy="id"
      wrapLines
      empty="Nothing was pushed in the last 30 days."
      columnDefinitions={[
        {
          id: 'state',
          header: 'State',
          cell: ({ state }) => (
            <StatusIndicator type={STATES[state].tone} wrapText={false}>
              {STATES[state].text}
            </StatusIndicator>
          ),
          minWidth: 150,
        },
        { id: 'outcome', header: 'What came of it', cell: (push) => <Outcome push={push} />, minWidth: 280 },
        {
          id: 'pushed',
          header: 'Pushed',
          cell: ({ created_at_ms: at, pushed_by: by }) => (
            <>
              <RelativeTime at={at} />
              <Box variant="small" color="text-body-secondary" display="block">
                by {by}
              </Box>
            </>
          ),
          minWidth: 150,
        },
      ]}
    />
  );
}

function Outcome({ push }: { readonly push: Validation }) {
  const { model, version, problem, progress, checks } = push;
  if (version !== null) return <PageLink to={`/models/${model}/versions/${version}`}>{`Version ${version}`}</PageLink>;
  if (problem === null) return <>{progress ?? `${checks.length} checks made`}</>;
  return (
    <>
      {problem.title}: {problem.detail}
      <Box variant="small" color="text-body-secondary" display="block">
        {problem.advice} <code>{problem.code}</code>
      </Box>
    </>
  );
}
