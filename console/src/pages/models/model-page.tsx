import '../releases/releases.css';
import './models.css';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';
import { useLocation, useParams, useSearchParams } from 'wouter';
import type { Model } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { useResource } from '../../data/use-resource.ts';
import { MetricsView } from './metrics-view.tsx';
import { ModelReleases } from './model-releases.tsx';
import { PinnedTenants } from './pinned-tenants.tsx';
import { PushHelp } from './push-help.tsx';
import { PushesTable } from './pushes-table.tsx';
import { TryIt } from './try-it.tsx';
import { VersionsTable } from './versions-table.tsx';

const REFRESH_MS = 5_000;

export function ModelPage() {
  const { model: name = '' } = useParams();
  const api = useApi();
  const [, navigate] = useLocation();
  const [isPushing, setPushing] = useState(false);
  const model = useResource(`model ${name}`, (signal) => api.call('model-read', { params: { model: name }, signal }), {
    everyMs: REFRESH_MS,
  });
  return (
    <Page
      title={name}
      above={[{ text: 'Models', path: '/models' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setPushing(true)}>Push a version</Button>
          <Button variant="primary" onClick={() => navigate(`/releases/start?model=${encodeURIComponent(name)}`)}>
            Start a release
          </Button>
        </SpaceBetween>
      }
    >
      <Loaded of={model} minHeight="large">
        {(value) => <ModelView model={value} />}
      </Loaded>
      {isPushing && <PushHelp onClose={() => setPushing(false)} />}
    </Page>
  );
}

function ModelView({ model }: { readonly model: Model }) {
  const { stable, newest, active_release: active } = model;
  const [search, setSearch] = useSearchParams();
  const version = (number: string | null) =>
    number === null ? '–' : <PageLink to={`/models/${model.model}/versions/${number}`}>{`Version ${number}`}</PageLink>;
  return (
    <SpaceBetween size="l">
      <Container>
        <KeyValuePairs
          columns={4}
          items={[
            {
              label: 'Stable version',
              value:
                stable === null ? (
                  <StatusIndicator type="warning">none: nobody is answered</StatusIndicator>
                ) : (
                  version(stable)
                ),
            },
            { label: 'Newest version', value: version(newest) },
            {
              label: 'Release under way',
              value: active === null ? 'none' : <PageLink to={`/releases/${active}`}>Look at it</PageLink>,
            },
            {
              label: 'Drift and accuracy',
              value: <PageLink to={`/quality/${model.model}`}>Quality</PageLink>,
            },
          ]}
        />
      </Container>
      <Tabs
        i18nStrings={{ scrollLeftAriaLabel: 'Tabs before', scrollRightAriaLabel: 'Tabs after' }}
        activeTabId={search.get('tab') ?? 'versions'}
        onChange={({ detail }) => setSearch({ tab: detail.activeTabId }, { replace: true })}
        ariaLabel={`About ${model.model}`}
        tabs={[
          { id: 'versions', label: 'Versions', content: <VersionsTable model={model} /> },
          { id: 'metrics', label: 'Live', content: <Live model={model} /> },
          { id: 'try', label: 'Try it', content: <TryStable model={model} /> },
          { id: 'releases', label: 'Releases', content: <ModelReleases model={model.model} /> },
          { id: 'pushes', label: 'Pushes', content: <PushesTable model={model.model} /> },
          { id: 'pins', label: 'Pins', content: <PinnedTenants model={model.model} /> },
        ]}
      />
    </SpaceBetween>
  );
}

function Live({ model }: { readonly model: Model }) {
  if (model.stable === null) return <Empty>No version is stable: nothing is answered.</Empty>;
  return <MetricsView model={model.model} version={model.stable} />;
}

function TryStable({ model }: { readonly model: Model }) {
  const api = useApi();
  const number = model.stable ?? '';
  const version = useResource(`version ${model.model} ${number}`, async (signal) =>
    number === '' ? null : api.call('version-read', { params: { model: model.model, version: number }, signal }),
  );
  return (
    <Loaded of={version} minHeight="large">
      {(read) =>
        read === null ? (
          <Empty>No version is stable: name one on its own page.</Empty>
        ) : (
          <TryIt version={read} named={false} />
        )
      }
    </Loaded>
  );
}
