import type { Telemetry } from '../ports/telemetry.ts';
import { blamesVersion } from '../quality/record-answer.ts';
import type { HardLimits } from './plan.ts';
import { percentage } from './verdict.ts';

/** One or two bad clients do not end a release. */
const LEAST_UNITS = 3;

/**
 * Which hard limit the candidate is beyond, in a sentence, or undefined. `sinceStart` is what it did in this attempt of the release, `inStep` in this step.
 * Looked at whenever telemetry is read, whatever the step, and not only where a verdict is due. Where a release draws by lot,
 * at least three units must have failed for the error rate to count.
 */
export function beyondHardLimit(limits: HardLimits, sinceStart: Telemetry, inStep: Telemetry): string | undefined {
  if (sinceStart.crashes >= limits.crashes)
    return `the candidate crashed its runner ${sinceStart.crashes} times, ${limits.crashes} are the limit`;
  if (inStep.requests < limits.minRequests) return undefined;
  const units = inStep.release?.failingUnits.size ?? 0;
  if (inStep.release !== undefined && inStep.release.cohorts.size > 0 && units < LEAST_UNITS) return undefined;
  let errors = 0;
  for (const [code, count] of inStep.errors) if (blamesVersion(code)) errors += count;
  const rate = errors / inStep.requests;
  if (rate < limits.errorRate) return undefined;
  return `${percentage(rate)} of ${inStep.requests} requests failed on the candidate, ${percentage(limits.errorRate)} are the limit`;
}
