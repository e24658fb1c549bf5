import type { Cohort } from '../../ports/telemetry.ts';
import type { AnalysisRules } from '../plan.ts';
import type { Sides } from '../segment.ts';
import { LEVELS, SUSPICIOUS } from '../statistics/levels.ts';
import { type Looks, lookAlpha } from '../statistics/looks.ts';
import { type Check, percentage } from '../verdict.ts';

/**
 * Whether shadow answers agree with the stable answer to the same request often enough. Were the agreement as asked for in at least half of the slices,
 * then so many slices below it would have a chance of at most the binomial tail at one half: the sign test, Dixon and Mood, Journal of the American
 * Statistical Association 41, 1946. A slice is one vote, however many requests it saw.
 */
export function checkAgreement({ candidate }: Sides, rules: AnalysisRules, look: Looks | undefined): Check {
  const shares = candidate.flatMap(({ shadow }: Cohort) =>
    shadow.compared === 0 ? [] : [shadow.agreed / shadow.compared],
  );
  const below = shares.filter((share) => share < rules.agreement).length;
  const compared = candidate.reduce((sum, { shadow }) => sum + shadow.compared, 0);
  const agreed = candidate.reduce((sum, { shadow }) => sum + shadow.agreed, 0);
  const share = compared === 0 ? undefined : agreed / compared;
  const p = signTail(shares.length, below);
  const outcome = outcomeOf(share, p, rules.agreement, look);
  const sentence =
    share === undefined
      ? 'no shadow answers were compared'
      : `${percentage(share)} of ${compared} shadow answers agree with stable's, ${percentage(rules.agreement)} are asked for`;
  return { name: 'agreement', outcome, stable: undefined, candidate: share, sentence };
}

function outcomeOf(share: number | undefined, p: number, least: number, look: Looks | undefined): Check['outcome'] {
  if (share === undefined) return 'inconclusive';
  if (look !== undefined && p <= lookAlpha(LEVELS.agreement, look)) return 'fail';
  return share < least || p <= SUSPICIOUS ? 'inconclusive' : 'pass';
}

/** P(X ≥ k) of n fair coins. */
function signTail(n: number, k: number): number {
  let term = 0.5 ** n;
  let tail = 0;
  for (let heads = 0; heads <= n; heads += 1) {
    if (heads >= k) tail += term;
    term *= (n - heads) / (heads + 1);
  }
  return Math.min(1, tail);
}
