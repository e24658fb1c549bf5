import type { Cohort } from '../../ports/telemetry.ts';
import { LabelCounts } from '../../quality/label-counts.ts';
import type { AnalysisRules } from '../plan.ts';
import type { Segment, Sides } from '../segment.ts';
import { divergence } from '../statistics/divergence.ts';
import { LEVELS } from '../statistics/levels.ts';
import type { Looks } from '../statistics/looks.ts';
import { type Check, figure, percentage } from '../verdict.ts';
import { compareSlices, middle } from './compare.ts';

/** Labels that are looked at one by one; the rarer ones are one more. */
const MOST_LABELS = 16;
/** Of stable's mean rows a run. Where nothing but the run itself costs, a row of it costs 1.25 times as much then, and 1.5 is what counts. */
const LEAST_ROWS = 0.8;

/** Whether the candidate gives its labels in other proportions: any label whose share differs slice by slice, where the whole diverges enough. */
export function checkLabels(sides: Sides, rules: AnalysisRules, look: Looks | undefined): Check {
  const [stable, candidate] = [labelsOf(sides.stable), labelsOf(sides.candidate)];
  const both = new LabelCounts();
  both.merge(stable);
  both.merge(candidate);
  const names = both.top(MOST_LABELS).top.map(([label]) => label);
  const cells = (labels: LabelCounts) => [
    ...names.map((name) => labels.get(name)),
    labels.total - names.reduce((sum, name) => sum + labels.get(name), 0),
  ];
  const js = divergence(cells(stable), cells(candidate));
  const alpha = LEVELS.labels / Math.max(1, names.length);
  const matters = js !== undefined && js >= rules.divergence;
  const outcomes = names.map((name) => {
    const of = ({ labels }: Cohort) => (labels.total === 0 ? undefined : labels.get(name) / labels.total);
    return compareSlices(sides, { of, side: 'either', matters, alpha, look });
  });
  const sentence =
    js === undefined ? 'no labels of both versions' : `labels diverge by ${figure(js)} (Jensen-Shannon, 0 to 1)`;
  return { name: 'labels', outcome: worst(outcomes), stable: undefined, candidate: js, sentence };
}

/** Whether the candidate is more or less sure of its answers. */
export function checkConfidence(
  { stable, candidate }: Segment,
  sides: Sides,
  rules: AnalysisRules,
  look: Looks | undefined,
): Check {
  const js = divergence(stable.confidence.bins, candidate.confidence.bins);
  const of = ({ confidence, confidences }: Cohort) => (confidences === 0 ? undefined : confidence / confidences);
  const matters = js !== undefined && js >= rules.divergence;
  const outcome = compareSlices(sides, { of, side: 'either', matters, alpha: LEVELS.confidence, look });
  const figures = { stable: middle(sides.stable, of), candidate: middle(sides.candidate, of) };
  const sentence =
    js === undefined
      ? 'no confidence of both versions'
      : `confidence diverges by ${figure(js)} (Jensen-Shannon, 0 to 1)`;
  return { name: 'confidence', outcome, ...figures, sentence };
}

/** Whether the candidate is right less often, by the feedback that has come. */
export function checkAccuracy(sides: Sides, rules: AnalysisRules, look: Looks | undefined): Check {
  const of = ({ feedback, feedbackCorrect }: Cohort) => (feedback === 0 ? undefined : feedbackCorrect / feedback);
  const [stable, candidate] = [accuracyOf(sides.stable), accuracyOf(sides.candidate)];
  const matters = stable !== undefined && candidate !== undefined && stable - candidate >= rules.accuracyLoss;
  const found = compareSlices(sides, { of, side: 'lower', matters, alpha: LEVELS.accuracy, look });
  // Feedback comes late and from few: that there is none yet holds nobody up.
  const outcome = found === 'inconclusive' && !matters ? 'absent' : found;
  const sentence =
    stable === undefined || candidate === undefined
      ? 'no feedback of both versions'
      : `${percentage(candidate)} of the candidate's answers were right, ${percentage(stable)} of stable's`;
  return { name: 'accuracy', outcome, stable, candidate, sentence };
}

/**
 * Whether a prediction of the candidate takes more compute. Looked at only where runs of both versions have about as many rows: a row's part of a run is dearer
 * the fewer share it, whatever the version.
 */
export function checkCompute(segment: Segment, sides: Sides, rules: AnalysisRules, look: Looks | undefined): Check {
  const of = ({ computeMs, requests }: Cohort) => computeMs / requests;
  const [stable, candidate] = [middle(sides.stable, of), middle(sides.candidate, of)];
  const figures = { stable, candidate };
  const incomparable = incomparableRuns(segment);
  if (incomparable !== undefined) return { name: 'compute', outcome: 'absent', ...figures, sentence: incomparable };
  const matters =
    stable !== undefined && candidate !== undefined && candidate >= stable * (1 + rules.computeGrowth) && candidate > 0;
  const outcome = compareSlices(sides, { of, side: 'higher', matters, alpha: LEVELS.compute, look });
  const sentence =
    stable === undefined || candidate === undefined
      ? 'no compute of both versions'
      : `a request takes ${figure(candidate)} ms of compute on the candidate, ${figure(stable)} ms on stable`;
  return { name: 'compute', outcome, ...figures, sentence };
}

/** Why compute says nothing of the versions here, if so. */
function incomparableRuns({ shadow, stable, candidate }: Segment): string | undefined {
  if (shadow) return 'copies run where nothing else would: their compute is not compared';
  const [before, after] = [meanRows(stable), meanRows(candidate)];
  if (before === undefined || after === undefined || after >= before * LEAST_ROWS) return undefined;
  return `runs have ${figure(after)} rows on the candidate and ${figure(before)} on stable: their compute is not compared`;
}

function meanRows({ batchRows }: Segment['stable']): number | undefined {
  return batchRows.count === 0 ? undefined : batchRows.sum / batchRows.count;
}

/** The worst of the outcomes for several labels. */
function worst(outcomes: readonly Check['outcome'][]): Check['outcome'] {
  for (const outcome of ['fail', 'inconclusive', 'pass'] as const) if (outcomes.includes(outcome)) return outcome;
  return 'absent';
}

function labelsOf(cohorts: readonly Cohort[]): LabelCounts {
  const labels = new LabelCounts();
  for (const cohort of cohorts) labels.merge(cohort.labels);
  return labels;
}

function accuracyOf(cohorts: readonly Cohort[]): number | undefined {
  const feedback = cohorts.reduce((sum, cohort) => sum + cohort.feedback, 0);
  return feedback === 0 ? undefined : cohorts.reduce((sum, cohort) => sum + cohort.feedbackCorrect, 0) / feedback;
}
