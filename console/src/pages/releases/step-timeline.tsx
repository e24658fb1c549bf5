import Box from '@cloudscape-design/components/box';
import Steps from '@cloudscape-design/components/steps';
import type { ReactNode } from 'react';
import type { ReleaseDetail } from '../../api/api.ts';
import { Settled } from '../../components/settled.tsx';
import { useNow } from '../../data/use-now.ts';
import { dateTime, duration } from '../../format/format.ts';
import { isGate, standingOf, stepTerms, stepTitle, type Tone } from './release-words.ts';
import { type StepState, stepStates } from './step-states.ts';

const SPOKEN = { done: 'done', skipped: 'skipped', now: 'now', 'ended-here': 'ended here', ahead: 'to come' } as const;

/** All steps of a release in order: what each asks for, what came of it, and of the present one what it waits for. */
export function StepTimeline({ release }: { readonly release: ReleaseDetail }) {
  const nowMs = useNow();
  const states = stepStates(release);
  return (
    <Steps
      ariaLabel="Steps of the release"
      steps={[
        ...states.map((state) => ({
          status: state.tone,
          statusIconAriaLabel: SPOKEN[state.kind],
          header: (
            <StepHeader isNow={state.kind === 'now'}>
              {state.number}. {stepTitle(state.step, release.plan)}
            </StepHeader>
          ),
          details: <StepDetails release={release} state={state} nowMs={nowMs} />,
        })),
        {
          status: WATCH[release.state] ?? 'pending',
          statusIconAriaLabel: release.state === 'promoted' ? 'done' : 'to come',
          header: (
            <StepHeader isNow={release.state === 'watching'}>
              Watch for {duration(release.plan.watch.seconds * 1000)}, then promoted
            </StepHeader>
          ),
          ...(release.state === 'watching' && { details: <Because of={standingOf(release, nowMs).because} /> }),
        },
      ]}
    />
  );
}

const WATCH: Partial<Record<ReleaseDetail['state'], Tone>> = {
  promoted: 'success',
  watching: 'in-progress',
  'rolled-back': 'stopped',
  undoing: 'stopped',
};

function StepHeader({ isNow, children }: { readonly isNow: boolean; readonly children: ReactNode }) {
  return <span className={isNow ? 'sluice-step sluice-step-now' : 'sluice-step'}>{children}</span>;
}

function StepDetails(props: { readonly release: ReleaseDetail; readonly state: StepState; readonly nowMs: number }) {
  const { release, state, nowMs } = props;
  const isLast = state.number === release.plan.steps.length;
  const { fromMs, untilMs, kind } = state;
  return (
    <>
      <Box variant="small" color="text-body-secondary" display="block">
        {kind === 'skipped' ? 'skipped' : isLast ? null : stepTerms(state.step, false, release.plan)}
      </Box>
      {fromMs !== undefined && kind !== 'ahead' && (
        <Box variant="small" color="text-body-secondary" display="block">
          {dateTime(fromMs)}
          {untilMs !== undefined && `, for ${duration(Math.max(1000, untilMs - fromMs))}`}
        </Box>
      )}
      {kind === 'now' && isGate(state.step) && <Approvals release={release} people={state.step.gate.people} />}
      {kind === 'now' && release.state !== 'watching' && (
        <Because of={standingOf(release, nowMs).because} stay={`${release.state} ${release.step}`} />
      )}
      {kind === 'ended-here' && release.why !== null && <Because of={[release.why]} />}
    </>
  );
}

function Because({ of, stay = '' }: { readonly of: readonly string[]; readonly stay?: string }) {
  return (
    <Settled of={stay}>
      <ul className="sluice-because">
        {of.map((sentence, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: sentences count seconds, and stay what they are about.
          <li key={at}>{sentence}</li>
        ))}
      </ul>
    </Settled>
  );
}

/** Who has approved a gate, how many are missing, and whether the viewer may. */
function Approvals({ release, people }: { readonly release: ReleaseDetail; readonly people: number }) {
  const mine = release.options.find(({ verb }) => verb === 'approve');
  return (
    <Box padding={{ top: 'xxs' }}>
      <ul className="sluice-approvals" aria-label="Approvals">
        {release.approvals.map((by) => (
          <li key={by}>
            ✓ <code>{by}</code>
          </li>
        ))}
        {['somebody', 'somebody else'].slice(0, Math.max(0, people - release.approvals.length)).map((whoever) => (
          <li key={whoever}>○ {whoever}</li>
        ))}
      </ul>
      {mine?.refused !== undefined && mine.refused !== null && (
        <Box variant="small" color="text-body-secondary">
          You may not: {mine.refused}.
        </Box>
      )}
    </Box>
  );
}
