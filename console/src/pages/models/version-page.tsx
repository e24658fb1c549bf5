import '../releases/releases.css';
import './models.css';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';
import { useLocation, useParams, useSearchParams } from 'wouter';
import type { Model, ModelVersion } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { useAction } from '../../data/use-action.ts';
import { useResource } from '../../data/use-resource.ts';
import { useNotify } from '../../shell/notices.tsx';
import { MetricsView } from './metrics-view.tsx';
import { ReportView } from './report-view.tsx';
import { TryIt } from './try-it.tsx';
import { useCandidate, VersionState } from './versions-table.tsx';

const REFRESH_MS = 5_000;

export function VersionPage() {
  const { model = '', version = '' } = useParams();
  const api = useApi();
  const route = useResource(`model ${model}`, (signal) => api.call('model-read', { params: { model }, signal }), {
    everyMs: REFRESH_MS,
  });
  const read = useResource(`version ${model} ${version}`, (signal) =>
    api.call('version-read', { params: { model, version }, signal }),
  );
  return (
    <Page
      title={`Version ${version}`}
      description={read.kind === 'ready' ? read.value.manifest.description : undefined}
      above={[
        { text: 'Models', path: '/models' },
        { text: model, path: `/models/${model}` },
      ]}
      info={route.kind === 'ready' && <State model={route.value} version={version} />}
      actions={
        route.kind === 'ready' && (
          <Actions model={route.value} version={version} onChanged={() => void route.refresh()} />
        )
      }
    >
      <Loaded of={read} minHeight="large">
        {(value) => <VersionTabs version={value} />}
      </Loaded>
    </Page>
  );
}

function State({ model, version }: { readonly model: Model; readonly version: string }) {
  const candidate = useCandidate(model);
  return <VersionState version={version} stable={model.stable} candidate={candidate} />;
}

function VersionTabs({ version }: { readonly version: ModelVersion }) {
  const [search, setSearch] = useSearchParams();
  return (
    <Tabs
      i18nStrings={{ scrollLeftAriaLabel: 'Tabs before', scrollRightAriaLabel: 'Tabs after' }}
      activeTabId={search.get('tab') ?? 'report'}
      onChange={({ detail }) => setSearch({ tab: detail.activeTabId }, { replace: true })}
      ariaLabel={`About version ${version.version}`}
      tabs={[
        { id: 'report', label: 'Validation', content: <ReportView version={version} /> },
        { id: 'try', label: 'Try it', content: <TryIt version={version} named /> },
        { id: 'metrics', label: 'Live', content: <MetricsView model={version.model} version={version.version} /> },
        {
          id: 'manifest',
          label: 'Manifest',
          content: <pre className="sluice-json sluice-manifest">{JSON.stringify(version.manifest, undefined, 2)}</pre>,
        },
      ]}
    />
  );
}

type ActionsProps = { readonly model: Model; readonly version: string; readonly onChanged: () => void };

function Actions({ model, version, onChanged }: ActionsProps) {
  const api = useApi();
  const notify = useNotify();
  const [, navigate] = useLocation();
  const [asks, setAsks] = useState(false);
  const make = useAction((_reason: string) =>
    api.call('stable-put', { params: { model: model.model }, body: { version, epoch: model.epoch } }),
  );
  const isStable = model.stable === version;
  const isBusy = model.active_release !== null;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button
        onClick={() => setAsks(true)}
        {...((isStable || isBusy) && {
          disabled: true,
          disabledReason: isStable ? 'It is the stable version' : 'A release is under way: it decides',
        })}
      >
        Make stable
      </Button>
      <Button
        variant="primary"
        onClick={() => navigate(`/releases/start?model=${encodeURIComponent(model.model)}&version=${version}`)}
        {...(isStable && { disabled: true, disabledReason: 'It is the stable version' })}
      >
        Release it
      </Button>
      {asks && (
        <ConfirmDialog
          title={`Make version ${version} stable`}
          verb="Make stable"
          action={make}
          onClose={(result) => {
            setAsks(false);
            if (result !== undefined)
              notify({ type: 'success', text: `Version ${version} of ${model.model} is stable.` });
            onChanged();
          }}
        >
          Sends 100 % of {model.model} from {model.stable === null ? 'nowhere' : `version ${model.stable}`} to version{' '}
          {version} within a second, without warming or comparing anything. A release does so step by step.
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}
