import '../releases/releases.css';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { Release } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { PageTurner } from '../../components/page-turner.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { usePages } from '../../data/use-pages.ts';
import { useResource } from '../../data/use-resource.ts';
import { stateOf } from '../releases/release-words.ts';
import { PushHelp } from './push-help.tsx';

const PAGE = 25;
const REFRESH_MS = 10_000;
/** More releases at once than anybody has; of other models none is told. */
const MOST_ACTIVE = 1000;

/** Models of the region in order of name, found by the beginning of it. */
export function ModelsPage() {
  const [, navigate] = useLocation();
  const [isPushing, setPushing] = useState(false);
  return (
    <Page
      title="Models"
      description="What this region serves, and which version of it answers."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setPushing(true)}>Push a model</Button>
          <Button variant="primary" onClick={() => navigate('/releases/start')}>
            Start a release
          </Button>
        </SpaceBetween>
      }
    >
      <ModelsTable />
      {isPushing && <PushHelp onClose={() => setPushing(false)} />}
    </Page>
  );
}

function ModelsTable() {
  const api = useApi();
  const [search, setSearch] = useSearchParams();
  const prefix = search.get('prefix') ?? '';
  const pages = usePages(
    `models ${prefix}`,
    (cursor, signal) =>
      api.call('model-route-list', {
        query: { limit: PAGE, ...(prefix !== '' && { prefix }), ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    { everyMs: REFRESH_MS },
  );
  const active = useActiveReleases();
  const { page } = pages;
  return (
    <SpaceBetween size="m">
      {page.kind === 'failed' && <ProblemAlert error={page.error} onRetry={() => void page.refresh()} />}
      <Table
        header={<Header variant="h2">Models</Header>}
        filter={
          <Search
            value={prefix}
            onChange={(text) => setSearch(text === '' ? {} : { prefix: text }, { replace: true })}
          />
        }
        pagination={<PageTurner of={pages} label="Pages of models" />}
        items={page.kind === 'ready' ? page.value.items : []}
        loading={page.kind === 'loading'}
        loadingText="Loading models"
        trackBy="model"
        empty={
          <Box textAlign="center" color="text-body-secondary" padding="l">
            {prefix === '' ? 'No model was pushed yet.' : `No model's name begins with "${prefix}".`}
          </Box>
        }
        columnDefinitions={[
          {
            id: 'model',
            header: 'Model',
            cell: ({ model }) => <PageLink to={`/models/${model}`}>{model}</PageLink>,
            minWidth: 200,
          },
          {
            id: 'stable',
            header: 'Stable version',
            cell: ({ model, stable }) =>
              stable === null ? (
                <StatusIndicator type="warning">none: nobody is answered</StatusIndicator>
              ) : (
                <PageLink to={`/models/${model}/versions/${stable}`}>{`Version ${stable}`}</PageLink>
              ),
            minWidth: 200,
          },
          {
            id: 'release',
            header: 'Release under way',
            cell: ({ model }) => <UnderWay release={active.get(model)} />,
            minWidth: 260,
          },
        ]}
      />
    </SpaceBetween>
  );
}

function UnderWay({ release }: { readonly release: Release | undefined }) {
  if (release === undefined) return <>–</>;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <PageLink to={`/releases/${release.id}`}>{`${release.stable} → ${release.candidate}`}</PageLink>
      <StatusIndicator type={stateOf(release).tone} wrapText={false}>
        {stateOf(release).text}
      </StatusIndicator>
    </SpaceBetween>
  );
}

function useActiveReleases(): ReadonlyMap<string, Release> {
  const api = useApi();
  const found = useResource(
    'active releases',
    (signal) => api.call('release-list-all', { query: { state: 'active', limit: MOST_ACTIVE }, signal }),
    { everyMs: REFRESH_MS },
  );
  return new Map(found.kind === 'ready' ? found.value.items.map((release) => [release.model, release]) : []);
}

function Search({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <TextFilter
      filteringText={text}
      filteringPlaceholder="Beginning of a name"
      filteringAriaLabel="Find models by the beginning of their names"
      filteringClearAriaLabel="Clear"
      onChange={({ detail }) => setText(detail.filteringText)}
      onDelayedChange={({ detail }) => onChange(detail.filteringText.trim())}
    />
  );
}
