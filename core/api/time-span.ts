import { z } from 'zod';
import { Failure } from '../failure.ts';
import { ROLL_UP_KEPT_MS } from '../quality/telemetry-kept.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../units.ts';

/** ISO 8601 with a zone, such as `2026-11-28T12:00:00Z`. */
const at = z.iso.datetime({ offset: true });

/** A span of time in steps, as in the query of what is shown over time. */
export const spanQuery = z.strictObject({
  /** Default: an hour before `until`. */
  from: at.optional(),
  /** Default: now. */
  until: at.optional(),
  /** Length of a step, a multiple of 5 s; of what is older than 15 days a multiple of an hour. Default: one that gives at most 180 steps. */
  step_s: z.coerce.number().int().min(5).max(86_400).multipleOf(5).optional(),
});

export type TimeSpan = { readonly fromMs: number; readonly untilMs: number; readonly stepMs: number };

const STEPS_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS];
const USUAL_STEPS = 180;
/** An hour by 5 s, a day by minute; more is no chart. */
const MOST_STEPS = 1500;

/** The span that a query asks for, its beginning moved back to a whole step. `request-invalid` where it ends before it begins or has too many steps. */
export function spanOf({ from, until, step_s: stepS }: z.output<typeof spanQuery>, nowMs: number): TimeSpan {
  const untilMs = until === undefined ? nowMs : Date.parse(until);
  const wantedMs = from === undefined ? untilMs - HOUR_MS : Date.parse(from);
  if (wantedMs >= untilMs) throw new Failure('request-invalid', { field: 'from', detail: 'from must be before until' });
  const isOld = wantedMs < nowMs - ROLL_UP_KEPT_MS.minute;
  const stepMs = stepS === undefined ? usualStep(untilMs - wantedMs, isOld) : stepS * SECOND_MS;
  if (isOld && stepMs % HOUR_MS !== 0) throw invalidStep('of what is older than 15 days must be whole hours');
  const fromMs = Math.floor(wantedMs / stepMs) * stepMs;
  if ((untilMs - fromMs) / stepMs > MOST_STEPS) throw invalidStep(`gives more than ${MOST_STEPS} steps`);
  return { fromMs, untilMs, stepMs };
}

function usualStep(spanMs: number, isOld: boolean): number {
  return STEPS_MS.find((stepMs) => spanMs / stepMs <= USUAL_STEPS && !(isOld && stepMs < HOUR_MS)) ?? DAY_MS;
}

function invalidStep(problem: string): Failure {
  return new Failure('request-invalid', { field: 'step_s', detail: `step_s ${problem}` });
}
