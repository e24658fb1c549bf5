import './quality.css';
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useParams } from 'wouter';
import type { Quality } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { useResource } from '../../data/use-resource.ts';
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
  const [choosing, setChoosing] = useState(false);
  const quality = useResource(
    `whole quality of ${model}`,
    (signal) => api.call('quality-read', { params: { model }, signal }),
    { everyMs: EVERY_MS },
  );
  const [checked, setChecked] = useState<Quality | undefined>(undefined);
  const check = useAction(async () => setChecked(await api.call('quality-check', { params: { model } })));
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
      {checked !== undefined && (
        <Alert type="info" action={<Button onClick={() => setChecked(undefined)}>Show the last that ended</Button>}>
          This is what the window that is under way would come to. It is not kept, and counts for no alarm.
        </Alert>
      )}
      <Loaded of={quality} minHeight="large">
        {(read) => (
          <SpaceBetween size="l">
            <QualitySummary quality={checked ?? read} />
            <DriftView quality={checked ?? read} />
          </SpaceBetween>
        )}
      </Loaded>
      <FeedbackView model={model} />
      {choosing && (
        <ChooseReference
          model={model}
          onClose={(chosen) => {
            setChoosing(false);
            if (!chosen) return;
            setChecked(undefined);
            void quality.refresh();
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
