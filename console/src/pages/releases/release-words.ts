import type { Release, ReleaseDetail, ReleaseOption } from '../../../../clients/typescript/schema.ts';
import { count, dateTime, duration, percent, relative } from '../../format/format.ts';

/** A release as a viewer reads it: sentences and names, no markup. */

export type Verb = ReleaseOption['verb'];
export type PlanStep = Release['plan']['steps'][number];
export type Tone = 'success' | 'error' | 'warning' | 'in-progress' | 'pending' | 'stopped' | 'info';

const STATES: Readonly<Record<Release['state'], { readonly text: string; readonly tone: Tone }>> = {
  scaling: { text: 'Waiting for workers', tone: 'pending' },
  stepping: { text: 'In progress', tone: 'in-progress' },
  gated: { text: 'Waiting for approval', tone: 'warning' },
  watching: { text: 'Watching', tone: 'in-progress' },
  paused: { text: 'Paused', tone: 'stopped' },
  escalated: { text: 'Needs a decision', tone: 'warning' },
  undoing: { text: 'On its way back', tone: 'warning' },
  promoted: { text: 'Promoted', tone: 'success' },
  'rolled-back': { text: 'Rolled back', tone: 'error' },
};

export function stateOf({ state }: Pick<Release, 'state'>): { readonly text: string; readonly tone: Tone } {
  return STATES[state];
}

export function hasEnded({ state }: Pick<Release, 'state'>): boolean {
  return state === 'promoted' || state === 'rolled-back';
}

/** Share of all that the candidate answers, as "25 % of users" or the tenants and plans by name. */
export function trafficOf(
  release: Pick<Release, 'weight_percent' | 'shadow_percent' | 'tenants' | 'plans'> & {
    readonly plan: Pick<Release['plan'], 'assignBy'>;
  },
): string {
  const parts = [
    ...(release.shadow_percent > 0 ? [`${percent(release.shadow_percent / 100)} of requests shadowed`] : []),
    ...(release.weight_percent > 0 ? [shareOf(release.weight_percent, release.plan)] : []),
    ...(release.tenants.length > 0 ? [`${named('tenant', release.tenants)}`] : []),
    ...(release.plans.length > 0 ? [`${named('plan', release.plans)}`] : []),
  ];
  return parts.length === 0 ? 'nobody' : parts.join(', ');
}

function shareOf(weight: number, { assignBy }: Pick<Release['plan'], 'assignBy'>): string {
  return weight >= 100 ? 'everybody' : `${percent(weight / 100)} of ${assignBy}s`;
}

function named(what: string, names: readonly string[]): string {
  return `${what}${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}

export function isGate(step: PlanStep): step is Extract<PlanStep, { gate: unknown }> {
  return 'gate' in step;
}

/** What a step of a plan brings, in a few words. */
export function stepTitle(step: PlanStep, plan: Pick<Release['plan'], 'assignBy'>): string {
  if (isGate(step)) return step.gate.people === 1 ? 'A person approves' : `${step.gate.people} people approve`;
  if ('shadow' in step) return `Shadow ${percent(step.shadow / 100)} of requests`;
  const { setWeight } = step;
  if (typeof setWeight !== 'number')
    return 'tenants' in setWeight
      ? `Only ${named('tenant', setWeight.tenants)}`
      : `Only ${named('plan', setWeight.plans)}`;
  const share = shareOf(setWeight, plan);
  return `${share.charAt(0).toUpperCase()}${share.slice(1)}`;
}

/** What a step asks for before the next one: its least time and traffic, or by when people must have approved. */
export function stepTerms(step: PlanStep, isLast: boolean, plan: Pick<Release['plan'], 'watch'>): string {
  if (isGate(step)) return `within ${duration(step.gate.timeoutS * 1000)}, or it is rolled back`;
  if (isLast) return `watched for ${duration(plan.watch.seconds * 1000)}`;
  const { hold, analysis } = step;
  const compared = analysis ? '' : ', nothing compared';
  return `at least ${duration(hold.seconds * 1000)} and ${count(hold.minRequests)} requests${compared}`;
}

/** Where it is and what it waits for: a headline, and what would change that. */
export type Standing = { readonly headline: string; readonly because: readonly string[] };

export function standingOf(release: Release, nowMs: number): Standing {
  const { state, candidate, stable, why } = release;
  const stated = why === null ? [] : [why];
  switch (state) {
    case 'scaling':
      return scaling(release, nowMs);
    case 'stepping':
      return stepping(release, nowMs);
    case 'gated':
      return gated(release, nowMs);
    case 'paused':
      return paused(release, nowMs);
    case 'watching':
      return {
        headline: `Everybody is on version ${candidate}`,
        because: [
          `Version ${stable} stays warm until ${until(release, nowMs)}; then the release is promoted.`,
          'Only crashes and an error rate beyond the hard limits roll it back now.',
        ],
      };
    case 'escalated':
      return { headline: `${stepName(release)} needs a decision`, because: [...stated, 'Promote or abort it.'] };
    case 'undoing':
      return {
        headline: `On its way back; version ${release.serving} answers meanwhile`,
        because: [...stated, `It ends as soon as the version is warm, by ${until(release, nowMs)} at the latest.`],
      };
    case 'promoted':
      return { headline: `Version ${candidate} answers`, because: [`Promoted ${dateTime(release.ended_at_ms)}.`] };
    case 'rolled-back':
      return { headline: `Rolled back: version ${release.serving} answers`, because: stated };
  }
}

function stepName({ step, steps }: Release): string {
  return `Step ${step} of ${steps}`;
}

function until({ until_ms: untilMs }: Release, nowMs: number): string {
  return untilMs === null ? 'it is told' : `${dateTime(untilMs)} (${relative(untilMs, nowMs)})`;
}

function plannedStep({ plan, step }: Release): PlanStep | undefined {
  return step === null ? undefined : plan.steps[step - 1];
}

function scaling(release: Release, nowMs: number): Standing {
  const planned = plannedStep(release);
  const wanted = planned === undefined ? '' : ` (${stepTitle(planned, release.plan).toLowerCase()})`;
  const otherwise =
    release.weight_percent === 0 && release.shadow_percent === 0 ? 'it is rolled back' : 'a person is asked';
  return {
    headline: `${stepName(release)}${wanted} waits for warm workers`,
    because: [
      `Version ${release.candidate} is warm for ${percent(release.warm_percent / 100)} of all traffic.`,
      `Without enough by ${until(release, nowMs)} ${otherwise}.`,
    ],
  };
}

function stepping(release: Release, nowMs: number): Standing {
  const planned = plannedStep(release);
  const headline = `${stepName(release)}: version ${release.candidate} answers ${trafficOf(release)}`;
  if (planned === undefined || isGate(planned)) return { headline, because: [] };
  const leftMs = (release.until_ms ?? nowMs) - nowMs;
  const time =
    leftMs > 0
      ? `Holds for ${duration(Math.ceil(leftMs / 1000) * 1000)} more, until ${dateTime(release.until_ms)}.`
      : 'Its least time is over.';
  return { headline, because: [time, missingTraffic(release), ...openVerdict(release, nowMs)] };
}

/** How much of the traffic that a step asks for has been seen. */
function missingTraffic(release: Release): string {
  const planned = plannedStep(release);
  if (planned === undefined || isGate(planned)) return '';
  const { minRequests } = planned.hold;
  const seen = release.verdict?.requests ?? 0;
  if (seen >= minRequests) return `${count(seen)} requests seen, ${count(minRequests)} needed.`;
  return `${count(seen)} of ${count(minRequests)} requests seen: ${count(minRequests - seen)} are missing.`;
}

function openVerdict(release: Release, nowMs: number): string[] {
  const planned = plannedStep(release);
  const { verdict, until_ms: untilMs } = release;
  if (planned === undefined || isGate(planned) || untilMs === null || untilMs > nowMs) return [];
  const askedMs = untilMs + planned.hold.escalateAfterS * 1000;
  const sure = verdict === null ? 'Nothing is known yet' : `The verdict is ${verdict.outcome}: ${verdict.sentence}`;
  return [`${sure}. A person is asked ${relative(askedMs, nowMs)} if it stays open.`];
}

function gated(release: Release, nowMs: number): Standing {
  const { approvals, approvals_needed: needed } = release;
  const missing = (needed ?? 1) - approvals.length;
  return {
    headline: `${stepName(release)} waits for ${missing === 1 ? 'one more person' : `${missing} people`} to approve`,
    because: [
      `Meanwhile version ${release.candidate} answers ${trafficOf(release)}.`,
      `Without approval by ${until(release, nowMs)} it is rolled back.`,
    ],
  };
}

function paused(release: Release, nowMs: number): Standing {
  const { paused_from: from, paused_since_ms: since, time_left_ms: leftMs } = release;
  const was = from === 'gated' ? 'at a gate' : from === 'scaling' ? 'while it waited for workers' : `while ${from}`;
  return {
    headline: `Paused ${was}: version ${release.candidate} answers ${trafficOf(release)}`,
    because: [
      `Since ${dateTime(since)} (${relative(since, nowMs)}). ${leftMs === null ? '' : `${duration(leftMs)} are left once it is resumed.`}`,
      'The traffic stays as it is; a verdict that fails still rolls it back.',
    ],
  };
}

export const VERB_NAMES: Readonly<Record<Verb, string>> = {
  promote: 'Promote',
  'promote-full': 'Promote fully',
  pause: 'Pause',
  resume: 'Resume',
  abort: 'Abort',
  approve: 'Approve',
  retry: 'Retry',
  undo: 'Undo',
};

type After = NonNullable<ReleaseOption['after']>;

/** What a verb would bring about, in sentences that name versions, shares and the model. */
export function effectOf(verb: Verb, release: ReleaseDetail, after: After): readonly string[] {
  const { model, candidate, stable } = release;
  switch (verb) {
    case 'pause':
      return [`Stops the clock. Version ${candidate} goes on answering ${trafficOf(release)} of ${model}.`];
    case 'resume':
      return ['Lets the clock run on with the time that was left.'];
    case 'abort':
    case 'undo':
      return backTo(release, after);
    case 'retry':
      return [
        `Starts attempt ${release.attempt + 1} from the first step, with users drawn anew.`,
        `Nobody is sent to version ${candidate} before its workers are warm.`,
      ];
    case 'approve':
      if (after.state === 'gated')
        return [`Counts as one of ${release.approvals_needed} approvals. Somebody else must approve, too.`];
      return onwards(release, after);
    case 'promote':
      if (after.state === 'promoted')
        return [`Ends the watch: version ${candidate} of ${model} stays, and version ${stable} may go cold.`];
      return onwards(release, after);
    case 'promote-full':
      return [
        ...onwards(release, after),
        'Steps between are skipped, whatever their verdicts would be. Gates are not.',
      ];
  }
}

function backTo(release: ReleaseDetail, after: After): readonly string[] {
  const { model, candidate, stable } = release;
  if (after.state === 'undoing')
    return [`Sends 100 % of ${model} back to version ${stable} as soon as that is warm again.`];
  return [
    `Sends 100 % of ${model} back to version ${stable}, within two seconds.`,
    `Jobs that wait for version ${candidate} run on version ${stable}, unless their callers named it.`,
  ];
}

function onwards(release: ReleaseDetail, after: After): readonly string[] {
  const { model, candidate, plan } = release;
  const next = after.step === null ? undefined : plan.steps[after.step - 1];
  if (next === undefined) return [];
  if (isGate(next))
    return [
      `Goes to the gate of step ${after.step}: ${stepTitle(next, plan).toLowerCase()}. The traffic stays as it is.`,
    ];
  const sends = `Sends ${sentTo(next, plan)} of ${model} to version ${candidate}`;
  if (after.state === 'scaling') return [`${sends}, as soon as enough workers are warm for it.`];
  return [`${sends}${'shadow' in next ? ', for comparison only' : ', at once'}.`];
}

function sentTo(step: Exclude<PlanStep, { gate: unknown }>, { assignBy }: Pick<Release['plan'], 'assignBy'>): string {
  if ('shadow' in step) return `copies of ${percent(step.shadow / 100)} of requests`;
  const { setWeight } = step;
  if (typeof setWeight === 'number')
    return setWeight >= 100 ? '100 %' : `${percent(setWeight / 100)} of the ${assignBy}s`;
  return 'tenants' in setWeight
    ? `all requests of ${named('tenant', setWeight.tenants)}`
    : `all requests of ${named('plan', setWeight.plans)}`;
}
