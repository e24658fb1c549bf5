import type { ReleaseDetailJson, ReleaseJson } from '../core/api/release-json.ts';
import { type GateStep, isGate, type Step, type TrafficStep } from '../core/release/plan.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { printable } from './printable.ts';
import { duration } from './report.ts';
import { paint, renderTable } from './table.ts';

type Numbers = NonNullable<ReleaseDetailJson['numbers']>;
type Verdict = NonNullable<ReleaseJson['verdict']>;

const COLOURS = { pass: 'green', fail: 'red', inconclusive: 'yellow', absent: 'dim' } as const;

/** All that is known of a release, for people. */
export function renderRelease(release: ReleaseDetailJson): string {
  const { numbers, verdict } = release;
  return [
    paint('bold', titleOf(release)),
    ...stepLines(release),
    `  ${nowLine(release)}`,
    ...(numbers === null ? [] : [renderNumbers(release, numbers)]),
    ...(verdict === null || !isJudged(release) ? [] : verdictLines(verdict)),
  ].join('\n');
}

/** Once everybody is on the candidate there is nothing left to compare. */
export function isJudged({ state }: ReleaseJson): boolean {
  return state !== 'watching' && state !== 'promoted';
}

/** Which release it is, in a line. */
export function titleOf({ id, model, candidate, stable, attempt }: ReleaseJson): string {
  const again = attempt === 1 ? '' : `, attempt ${attempt}`;
  return `${model}: version ${candidate} over ${stable} (${id}${again})`;
}

/** Where it is, in a line. */
export function nowLine(release: ReleaseJson): string {
  const { state, why, time_left_ms: leftMs } = release;
  const left = leftMs === null ? '' : `, ${span(leftMs)} left`;
  const at = `step ${release.step} of ${release.steps}`;
  const because = why === null ? '' : `: ${printable(why)}`;
  switch (state) {
    case 'scaling':
      return `${at} waits for warm workers (${release.warm_percent} % of all traffic so far)${left}`;
    case 'stepping':
      // The least time may be over while the verdict is open.
      return leftMs === 0
        ? `${at}, ${trafficOf(release)}, until the verdict is sure`
        : `${at}, ${trafficOf(release)}${left}`;
    case 'gated':
      return `${at} waits for people: ${release.approvals.length} of ${release.approvals_needed} have approved${left}`;
    case 'watching':
      return `everybody is on version ${release.candidate}, which is watched${left}`;
    case 'paused':
      return `paused at ${at}, ${trafficOf(release)}${left}`;
    case 'escalated':
      return paint('yellow', `${at} waits for a person${because}`);
    case 'undoing':
      return `on its way back${left}${because}`;
    case 'promoted':
      return paint('green', `promoted: version ${release.candidate} answers`);
    case 'rolled-back':
      return paint('red', `rolled back to version ${release.serving}${because}`);
  }
}

/** Each step of the plan, what is done and what is to come. */
function stepLines({ plan, step, state }: ReleaseJson): string[] {
  const isOver = state === 'promoted' || state === 'watching';
  return plan.steps.map((each, at) => {
    const isNow = at + 1 === step && !isOver;
    const isDone = isOver || (step !== null && at + 1 < step);
    const mark = isDone ? paint('green', '✓') : isNow ? paint('cyan', '▸') : paint('dim', '·');
    const isLast = at === plan.steps.length - 1;
    return `${mark} ${isLast ? `100 %, watched for ${span(plan.watch.seconds * SECOND_MS)}` : describeStep(each)}`;
  });
}

export function describeStep(step: Step): string {
  if (isGate(step)) return describeGate(step);
  const compared = step.analysis ? '' : ', nothing compared';
  return `${describeTraffic(step)}, at least ${span(step.hold.seconds * SECOND_MS)}${compared}`;
}

function describeGate({ gate: { people } }: GateStep): string {
  return people === 1 ? 'a person approves' : `${people} people approve`;
}

function describeTraffic(step: TrafficStep): string {
  if ('shadow' in step) return `${step.shadow} % shadowed`;
  const { setWeight } = step;
  if (typeof setWeight === 'number') return `${setWeight} %`;
  return 'tenants' in setWeight ? `tenants ${setWeight.tenants.join(', ')}` : `plans ${setWeight.plans.join(', ')}`;
}

/** Who is on the candidate now. */
function trafficOf({ weight_percent: weight, shadow_percent: shadow, tenants, plans }: ReleaseJson): string {
  const parts = [
    ...(shadow > 0 ? [`${shadow} % shadowed`] : []),
    ...(weight > 0 ? [`${weight} % on the candidate`] : []),
    ...(tenants.length > 0 ? [`tenants ${tenants.join(', ')}`] : []),
    ...(plans.length > 0 ? [`plans ${plans.join(', ')}`] : []),
  ];
  return parts.length === 0 ? 'nobody on the candidate' : parts.join(', ');
}

function renderNumbers({ stable, candidate }: ReleaseJson, numbers: Numbers): string {
  const head = ['', 'requests', 'errors', 'p50', 'p95', 'p99', 'compute', 'crashes', 'agreement'];
  const rows = [
    [`version ${stable}`, ...cellsOf(numbers.stable), '-'],
    [`version ${candidate}`, ...cellsOf(numbers.candidate), share(numbers.agreement)],
  ];
  return renderTable(head, rows);
}

function cellsOf(numbers: Numbers['stable']): (string | number)[] {
  const { requests, error_rate: rate, p50_ms: p50, p95_ms: p95, p99_ms: p99, compute_ms: compute, crashes } = numbers;
  return [requests, share(rate), ms(p50), ms(p95), ms(p99), ms(compute), crashes];
}

function verdictLines({ outcome, sentence, checks }: Verdict): string[] {
  const told = checks.filter((check) => check.outcome !== 'absent');
  return [
    `${paint(COLOURS[outcome], outcome)}: ${printable(sentence)}`,
    ...told.map((check) => `  ${paint(COLOURS[check.outcome], check.outcome.padEnd(12))} ${printable(check.sentence)}`),
  ];
}

/** As people say it: two units at the most. */
export function span(ms: number): string {
  const s = Math.ceil(ms / SECOND_MS);
  if (ms >= 2 * DAY_MS) return `${Math.round(ms / DAY_MS)} days`;
  if (ms >= HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${s} s`;
}

function ms(value: number | null): string {
  return value === null ? '-' : duration(value);
}

function share(value: number | null): string {
  return value === null ? '-' : `${Number((value * 100).toPrecision(3))} %`;
}
