import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { TenantQuality } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { Empty } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { usePages } from '../../data/use-pages.ts';
import { useResource } from '../../data/use-resource.ts';
import { figure, NOTHING } from '../../format/format.ts';
import { STATUS_TEXTS, STATUS_TONES, subjectOf } from './quality-words.ts';

/** Each row asks for its own state: no more at once than a glance takes in. */
const PAGE = 15;
const EVERY_MS = 60_000;

/** Whether each model is still asked, and still answers, as it was. */
export function QualityPage() {
  const { tenant } = useWho();
  return (
    <Page
      title="Quality"
      description="Whether models are still asked, and still answer, as they were when they were judged good."
    >
      {tenant === undefined ? <AllModels /> : <OwnModels />}
    </Page>
  );
}

/** `quality` is undefined while it loads, and null where it cannot be read. */
type Row = { readonly model: string; readonly quality: TenantQuality | null | undefined };

function AllModels() {
  const api = useApi();
  const pages = usePages(
    'quality models',
    (cursor, signal) =>
      api.call('model-route-list', { query: { limit: PAGE, ...(cursor !== undefined && { cursor }) }, signal }),
    { everyMs: EVERY_MS },
  );
  const { page } = pages;
  const serving = page.kind === 'ready' ? page.value.items.filter(({ stable }) => stable !== null) : [];
  return (
    <SpaceBetween size="m">
      {page.kind === 'failed' && <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />}
      <ModelsTable
        models={serving.map(({ model }) => model)}
        loading={page.kind === 'loading'}
        pagination={<PageTurner of={pages} label="Pages of models" />}
      />
    </SpaceBetween>
  );
}

/** Those that the tenant's plan lets it call. */
function OwnModels() {
  const api = useApi();
  const models = useResource('own models', (signal) => api.call('model-list', { query: { limit: PAGE }, signal }), {
    everyMs: EVERY_MS,
  });
  if (models.kind === 'failed') return <ProblemAlert error={models.error} onRetry={() => void models.refresh()} />;
  const names = models.kind === 'ready' ? models.value.models.map(({ name }) => name) : [];
  return <ModelsTable models={names} loading={models.kind === 'loading'} />;
}

type ModelsTableProps = { readonly models: readonly string[] } & Pick<TableProps, 'loading' | 'pagination'>;

function ModelsTable({ models, ...rest }: ModelsTableProps) {
  const qualities = useQualities(models);
  return (
    <Table
      {...rest}
      header={<Header variant="h2">Models</Header>}
      items={models.map((model): Row => ({ model, quality: qualities.get(model) }))}
      loadingText="Loading models"
      trackBy="model"
      columnDefinitions={COLUMNS}
      empty={<Empty>No model has a stable version.</Empty>}
    />
  );
}

/** Of the stable version of each model what the viewer may see; one that cannot be read keeps none of the others. */
function useQualities(models: readonly string[]): ReadonlyMap<string, TenantQuality | null> {
  const api = useApi();
  const { tenant } = useWho();
  const read = (model: string, signal: AbortSignal): Promise<TenantQuality> =>
    tenant === undefined
      ? api.call('quality-read', { params: { model }, signal })
      : api.call('tenant-quality-read', { params: { tenant, model }, signal });
  const found = useResource(
    `qualities ${models.join(' ')}`,
    (signal) => Promise.all(models.map(async (model) => [model, await read(model, signal).catch(() => null)] as const)),
    { everyMs: EVERY_MS },
  );
  return new Map(found.kind === 'ready' ? found.value : []);
}

const COLUMNS: readonly TableProps.ColumnDefinition<Row>[] = [
  {
    id: 'model',
    header: 'Model',
    minWidth: 180,
    isRowHeader: true,
    cell: ({ model }) => <PageLink to={`/quality/${model}`}>{model}</PageLink>,
  },
  { id: 'status', header: 'Beside its reference', minWidth: 190, cell: ({ quality }) => <Status quality={quality} /> },
  { id: 'furthest', header: 'Furthest', minWidth: 240, cell: ({ quality }) => furthest(quality) },
  {
    id: 'checked',
    header: 'Looked at',
    minWidth: 120,
    cell: ({ quality }) => <RelativeTime at={quality?.checked_at} />,
  },
];

function Status({ quality }: Pick<Row, 'quality'>) {
  if (quality === undefined) return <StatusIndicator type="loading">Loading</StatusIndicator>;
  if (quality === null) return <StatusIndicator type="error">cannot be read</StatusIndicator>;
  return <StatusIndicator type={STATUS_TONES[quality.status]}>{STATUS_TEXTS[quality.status]}</StatusIndicator>;
}

/** The check that is the most above, or the least below, its threshold. */
function furthest(quality: Row['quality']): string {
  const [first] = [...(quality?.checks ?? [])].sort((a, b) => b.value / b.threshold - a.value / a.threshold);
  return first === undefined ? NOTHING : `${subjectOf(first)}: ${figure(first.value)} of ${figure(first.threshold)}`;
}
