import './quality.css';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useParams } from 'wouter';
import { useApi, useWho } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { useResource } from '../../data/use-resource.ts';
import { useNotify } from '../../shell/notices.tsx';
import { ChecksTable } from './checks-table.tsx';
import { ChooseReference } from './choose-reference.tsx';
import { DriftView } from './drift-view.tsx';
import { FeedbackView } from './feedback-view.tsx';
import { QualitySummary } from './quality-summary.tsx';

const EVERY_MS = 30_000;

/** A model's stable version beside its reference, and beside what turned out to be true. */
export function ModelQualityPage() {
  const { model = '' } = useParams<{ model: string }>();
  const { tenant } = useWho();
  return tenant === undefined ? <WholeQuality model={model} /> : <OwnQuality model={model} tenant={tenant} />;
}

const ABOVE = [{ text: 'Quality', path: '/quality' }];

function WholeQuality({ model }: { readonly model: string }) {
  const api = useApi();
  const notify = useNotify();
  const [choosing, setChoosing] = useState(false);
  const quality = useResource(
    `whole quality of ${model}`,
    (signal) => api.call('quality-read', { params: { model }, signal }),
    { everyMs: EVERY_MS },
  );
  const check = useAction(async () => {
    await api.call('quality-check', { params: { model } });
    await quality.refresh();
    notify({ type: 'success', text: `${model} was looked at.` });
  });
  return (
    <Page
      title={model}
      above={ABOVE}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setChoosing(true)}>Choose the reference</Button>
          <Button variant="primary" onClick={() => void check.run()} loading={check.running}>
            Check now
          </Button>
        </SpaceBetween>
      }
    >
      {check.error !== undefined && <ProblemAlert error={check.error} />}
      <Loaded of={quality} minHeight="large">
        {(read) => (
          <SpaceBetween size="l">
            <QualitySummary quality={read} />
            <DriftView quality={read} />
          </SpaceBetween>
        )}
      </Loaded>
      <FeedbackView model={model} />
      {choosing && (
        <ChooseReference
          model={model}
          onClose={(chosen) => {
            setChoosing(false);
            if (chosen) void quality.refresh();
          }}
        />
      )}
    </Page>
  );
}

function OwnQuality({ model, tenant }: { readonly model: string; readonly tenant: string }) {
  const api = useApi();
  const quality = useResource(
    `quality of ${model}`,
    (signal) => api.call('tenant-quality-read', { params: { tenant, model }, signal }),
    { everyMs: EVERY_MS },
  );
  return (
    <Page title={model} above={ABOVE}>
      <Loaded of={quality} minHeight="medium">
        {(read) => (
          <SpaceBetween size="l">
            <QualitySummary quality={read} />
            <ChecksTable checks={read.checks} />
          </SpaceBetween>
        )}
      </Loaded>
      <FeedbackView model={model} tenant={tenant} />
    </Page>
  );
}
