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
 * Every class that was true or predicted, in order of name. Where some true labels are not told apart, only those that are: of the others nobody knows how
 * often they were right.
 */
export function classesOf(confusion: Confusion): readonly ClassQuality[] {
  const predicted = new Map<string, number>();
  const add = (label: string, count: number) => predicted.set(label, (predicted.get(label) ?? 0) + count);
  const supports = new Map<string, number>();
  for (const actual of confusion.actual()) {
    const counts = confusion.of(actual)!;
    supports.set(actual, counts.total);
    for (const label of counts.labels()) add(label, counts.get(label));
  }
  for (const label of confusion.other.labels()) add(label, confusion.other.get(label));
  const isWhole = confusion.other.total === 0;
  const labels = new Set([...supports.keys(), ...(isWhole ? predicted.keys() : [])]);
  return [...labels].sort(byName).map((label) => {
    const right = confusion.of(label)?.get(label) ?? 0;
    const [support, asked] = [supports.get(label) ?? 0, predicted.get(label) ?? 0];
    const share = (count: number) => (count === 0 ? 0 : right / count);
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
