import './releases.css';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useParams } from 'wouter';
import type { ReleaseDetail } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Page } from '../../components/page.tsx';
import { PageLink } from '../../components/page-link.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useNow } from '../../data/use-now.ts';
import { useResource } from '../../data/use-resource.ts';
import { useNotify } from '../../shell/notices.tsx';
import { AuditTable } from './audit-table.tsx';
import { OverTime } from './over-time.tsx';
import { ReleaseBar } from './release-bar.tsx';
import { hasEnded, stateOf, trafficOf, VERB_NAMES, type Verb } from './release-words.ts';
import { ShareChart } from './share-chart.tsx';
import { Distributions, Figures, VerdictPanel } from './side-by-side.tsx';
import { StepTimeline } from './step-timeline.tsx';
import { VerbDialog } from './verb-dialog.tsx';

/** Each look reads what both versions did, which changes with every window of five seconds. */
const LIVE_MS = 2_000;
/** An end may be undone by somebody else. */
const ENDED_MS = 15_000;

export function ReleasePage() {
  const { release: id = '' } = useParams();
  const api = useApi();
  const [everyMs, setEveryMs] = useState(LIVE_MS);
  const release = useResource(
    `release ${id}`,
    async (signal) => {
      const read = await api.call('release-read', { params: { release: id }, signal });
      setEveryMs(hasEnded(read) ? ENDED_MS : LIVE_MS);
      return read;
    },
    { everyMs },
  );
  const title =
    release.kind === 'ready'
      ? `${release.value.model}: version ${release.value.candidate} over ${release.value.stable}`
      : 'Release';
  return (
    <Page title={title} above={[{ text: 'Releases', path: '/releases' }]}>
      <Loaded of={release} minHeight="large">
        {(value) => <ReleaseView release={value} onChanged={() => void release.refresh()} />}
      </Loaded>
    </Page>
  );
}

function ReleaseView({ release, onChanged }: { readonly release: ReleaseDetail; readonly onChanged: () => void }) {
  const [verb, setVerb] = useState<Verb | undefined>(undefined);
  const nowMs = useNow();
  const notify = useNotify();
  return (
    <>
      <ReleaseBar release={release} onVerb={setVerb} />
      <SpaceBetween size="l">
        <div className="sluice-release">
          <SpaceBetween size="l">
            <Container header={<Header>Steps</Header>}>
              <StepTimeline release={release} />
            </Container>
            <Container header={<Header>Traffic</Header>}>
              <ShareChart release={release} nowMs={nowMs} />
            </Container>
          </SpaceBetween>
          <SpaceBetween size="l">
            <VerdictPanel release={release} />
            <Figures release={release} />
          </SpaceBetween>
        </div>
        <Distributions release={release} />
        <OverTime release={release} />
        <Facts release={release} />
        <AuditTable release={release} />
      </SpaceBetween>
      {verb !== undefined && (
        <VerbDialog
          release={release}
          verb={verb}
          onClose={(answer) => {
            setVerb(undefined);
            onChanged();
            if (answer === undefined) return;
            const done = `${VERB_NAMES[verb]}: ${stateOf(answer).text.toLowerCase()}`;
            notify(
              answer.applied
                ? { type: 'success', text: done }
                : { type: 'info', text: `It was so already. ${stateOf(answer).text}.` },
            );
          }}
        />
      )}
    </>
  );
}

function Facts({ release }: { readonly release: ReleaseDetail }) {
  const { model, stable, candidate, plan } = release;
  return (
    <Container header={<Header>About it</Header>}>
      <SpaceBetween size="m">
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Model', value: <PageLink to={`/models/${model}`}>{model}</PageLink> },
            { label: 'On the candidate', value: <span className="sluice-traffic">{trafficOf(release)}</span> },
            {
              label: 'Candidate',
              value: <PageLink to={`/models/${model}/versions/${candidate}`}>{`Version ${candidate}`}</PageLink>,
            },
            {
              label: 'Stable before',
              value: <PageLink to={`/models/${model}/versions/${stable}`}>{`Version ${stable}`}</PageLink>,
            },
            { label: 'Started', value: <RelativeTime at={release.started_at_ms} /> },
            { label: 'By', value: <code>{release.started_by}</code> },
            { label: 'Stays on one version', value: `each ${plan.assignBy}` },
            { label: 'Attempt', value: String(release.attempt) },
          ]}
        />
        <ExpandableSection headerText="Plan as JSON" variant="footer">
          <pre className="sluice-json">{JSON.stringify(plan, undefined, 2)}</pre>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  );
}
