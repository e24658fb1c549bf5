import type { Calibration } from '../calibration.ts';
import type { Confusion } from '../confusion.ts';
import { type ClassQuality, classesOf, macroF1 } from './classes.ts';
import { wilsonInterval } from './wilson.ts';

/** What feedback came to, of whatever is looked at. */
export type FeedbackCounts = {
  readonly count: number;
  readonly correct: number;
  readonly confusion: Confusion;
  readonly calibration: Calibration;
};

export type CalibrationPoint = { readonly confidence: number; readonly accuracy: number; readonly count: number };

/** Counts are of rows; a figure of nothing is undefined. */
export type FeedbackReport = {
  readonly count: number;
  readonly accuracy: number | undefined;
  /** At 95 %. */
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly macroF1: number | undefined;
  /** Undefined where no answer had a confidence. */
  readonly expectedCalibrationError: number | undefined;
  readonly classes: readonly ClassQuality[];
  /** Rows by true label, then predicted one; `other` are those of labels that are not among them. */
  readonly confusion: {
    readonly labels: readonly string[];
    readonly counts: readonly (readonly number[])[];
    readonly other: number;
  };
  /** Of each bin of confidence that has any: the mean confidence in it, and how often that was right. */
  readonly calibration: readonly CalibrationPoint[];
};

/** Of a matrix: more is no picture, and 128 × 128 numbers are 50 KB. */
const MOST_LABELS = 128;

export function reportOf({ count, correct, confusion, calibration }: FeedbackCounts): FeedbackReport {
  const classes = classesOf(confusion);
  const points = pointsOf(calibration);
  const shown = shownOf(classes);
  return {
    count,
    accuracy: accuracyOf({ count, correct }),
    interval: wilsonInterval(correct, count),
    macroF1: macroF1(classes),
    expectedCalibrationError: calibrationErrorOf(points),
    classes: shown,
    confusion: matrixOf(confusion, shown, count),
    calibration: points,
  };
}

export function accuracyOf({ count, correct }: Pick<FeedbackCounts, 'count' | 'correct'>): number | undefined {
  return count === 0 ? undefined : correct / count;
}

/**
 * How far confidence and accuracy are apart on average, over bins of equal width: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks",
 * ICML 2017, equation 3.
 */
function calibrationErrorOf(points: readonly CalibrationPoint[]): number | undefined {
  const total = points.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  return (
    points.reduce((sum, { confidence, accuracy, count }) => sum + count * Math.abs(accuracy - confidence), 0) / total
  );
}

function pointsOf({ count, correct, confidence }: Calibration): readonly CalibrationPoint[] {
  return count.flatMap((answers, bin) =>
    answers === 0 ? [] : { confidence: confidence[bin]! / answers, accuracy: correct[bin]! / answers, count: answers },
  );
}

/** Those with the most rows, in the order that they have. */
function shownOf(classes: readonly ClassQuality[]): readonly ClassQuality[] {
  if (classes.length <= MOST_LABELS) return classes;
  const most = new Set(classes.toSorted((a, b) => b.support - a.support).slice(0, MOST_LABELS));
  return classes.filter((each) => most.has(each));
}

function matrixOf(confusion: Confusion, classes: readonly ClassQuality[], count: number): FeedbackReport['confusion'] {
  const labels = classes.map(({ label }) => label);
  const counts = labels.map((actual) => labels.map((predicted) => confusion.of(actual)?.get(predicted) ?? 0));
  const shown = counts.flat().reduce((sum, cell) => sum + cell, 0);
  return { labels, counts, other: Math.max(0, count - shown) };
}
