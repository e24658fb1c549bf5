import type { Confusion } from '../confusion.ts';

/** How well one class is told; a share of nothing is 0, as scikit-learn has it. */
export type ClassQuality = {
  readonly label: string;
  /** Of what was predicted as it, how much was. */
  readonly precision: number;
  /** Of what was it, how much was predicted so. */
  readonly recall: number;
  /** Their harmonic mean. */
  readonly f1: number;
  /** Rows whose truth it is. */
  readonly support: number;
};

/**
 * Every class that was true or predicted, in order of name. Of more than 512 only those of which all is known: that were true, predicted and
 * both.
 */
export function classesOf({ classes: { actual, predicted, right } }: Confusion): readonly ClassQuality[] {
  const isWhole = [actual, predicted, right].every(({ other }) => other === 0);
  const labels = isWhole
    ? [...new Set([...actual.labels(), ...predicted.labels()])]
    : [...right.labels()].filter((label) => actual.get(label) > 0 && predicted.get(label) > 0);
  return labels.sort(byName).map((label) => {
    const [support, asked, hits] = [actual.get(label), predicted.get(label), right.get(label)];
    const share = (count: number) => (count === 0 ? 0 : hits / count);
    return { label, precision: share(asked), recall: share(support), f1: share((support + asked) / 2), support };
  });
}

/** The mean F1, every class weighing the same; undefined of none. */
export function macroF1(classes: readonly ClassQuality[]): number | undefined {
  return classes.length === 0 ? undefined : classes.reduce((sum, { f1 }) => sum + f1, 0) / classes.length;
}

/** Numbers by value, texts after them. */
function byName(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y) && x !== y) return x - y;
  return a < b ? -1 : 1;
}
