import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import type { Model, ModelVersion } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { usePages } from '../../data/use-pages.ts';
import { useResource } from '../../data/use-resource.ts';
import { bytes, duration, usd } from '../../format/format.ts';

const PAGE = 20;

/** Versions of a model, the newest first, a page at a time however many there are. */
export function VersionsTable({ model }: { readonly model: Model }) {
  const api = useApi();
  const candidate = useCandidate(model);
  const pages = usePages(`versions ${model.model} ${model.newest}`, (cursor, signal) =>
    api.call('version-list', {
      params: { model: model.model },
      query: { order: 'newest', limit: PAGE, ...(cursor !== undefined && { cursor }) },
      signal,
    }),
  );
  const { page } = pages;
  if (page.kind === 'failed') return <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />;
  return (
    <Table
      header={<Header description="The newest first.">Versions</Header>}
      pagination={<PageTurner of={pages} label="Pages of versions" />}
      items={page.kind === 'ready' ? page.value.items : []}
      loading={page.kind === 'loading'}
      loadingText="Loading versions"
      trackBy="version"
      empty="No version was pushed yet."
      columnDefinitions={[
        {
          id: 'version',
          header: 'Version',
          cell: ({ version }) => (
            <SpaceBetween direction="horizontal" size="xs">
              <PageLink to={`/models/${model.model}/versions/${version}`}>{`Version ${version}`}</PageLink>
              <VersionState version={version} stable={model.stable} candidate={candidate} />
            </SpaceBetween>
          ),
          minWidth: 210,
        },
        {
          id: 'pushed',
          header: 'Pushed',
          cell: ({ pushed_at_ms: at, pushed_by: by }) => (
            <>
              <RelativeTime at={at} />
              <Box variant="small" color="text-body-secondary" display="block">
                by {by}
              </Box>
            </>
          ),
          minWidth: 150,
        },
        { id: 'size', header: 'Size', cell: ({ model_bytes: size }) => bytes(size), width: 110 },
        { id: 'row', header: 'One row takes', cell: ({ validation }) => duration(validation.row_ms), width: 130 },
        { id: 'memory', header: 'Memory', cell: ({ validation }) => bytes(validation.memory_bytes), width: 120 },
        {
          id: 'cost',
          header: 'A thousand cost',
          cell: ({ validation }) => usd(validation.usd_per_thousand),
          width: 140,
        },
        { id: 'checks', header: 'Validation', cell: (version) => worstOf(version), minWidth: 150 },
      ]}
    />
  );
}

export function VersionState(props: {
  readonly version: string;
  readonly stable: string | null;
  readonly candidate: string | undefined;
}) {
  if (props.version === props.stable) return <Badge color="green">stable</Badge>;
  return props.version === props.candidate ? <Badge color="blue">candidate</Badge> : null;
}

/** Of the release that is under way. */
export function useCandidate({ model, active_release: active }: Model): string | undefined {
  const api = useApi();
  const release = useResource(`candidate of ${model} ${active}`, async (signal) =>
    active === null ? null : api.call('release-read', { params: { release: active }, signal }),
  );
  return release.kind === 'ready' ? release.value?.candidate : undefined;
}

function worstOf({ validation }: ModelVersion): string {
  const warnings = validation.checks.filter(({ outcome }) => outcome === 'warning').length;
  const repairs = validation.repairs.length;
  const told = [
    ...(warnings > 0 ? [`${warnings} warning${warnings === 1 ? '' : 's'}`] : []),
    ...(repairs > 0 ? [`${repairs} repair${repairs === 1 ? '' : 's'}`] : []),
  ];
  return told.length === 0 ? 'passed' : told.join(', ');
}
