/** How well guesses meet truth, in shares of 1. */
export type Scores = {
  readonly rows: number;
  readonly accuracy: number;
  /** Mean over the classes of the harmonic mean of precision and recall. */
  readonly macroF1: number;
  /** Accuracy of always naming the most frequent class. */
  readonly majority: number;
};

export function scoreGuesses(truth: readonly number[], guesses: readonly number[], classes: number): Scores {
  const right = new Array<number>(classes).fill(0);
  const real = new Array<number>(classes).fill(0);
  const guessed = new Array<number>(classes).fill(0);
  for (const [row, label] of truth.entries()) {
    real[label]!++;
    guessed[guesses[row]!]!++;
    if (guesses[row] === label) right[label]!++;
  }
  const f1 = right.map((hits, label) => (hits === 0 ? 0 : (2 * hits) / (real[label]! + guessed[label]!)));
  return {
    rows: truth.length,
    accuracy: right.reduce((sum, hits) => sum + hits, 0) / truth.length,
    macroF1: f1.reduce((sum, each) => sum + each, 0) / classes,
    majority: Math.max(...real) / truth.length,
  };
}

/** How well one class is found: `recall` of its rows, `precision` of its guesses (0 where there are none). */
export type ClassScore = {
  readonly label: number;
  readonly rows: number;
  readonly recall: number;
  readonly precision: number;
  /** The class that its other rows are most often taken for; its own number if there are none. */
  readonly mistakenFor: number;
};

/** The classes with the least recall first; of equal ones the first. */
export function scoreClasses(truth: readonly number[], guesses: readonly number[], classes: number): ClassScore[] {
  return Array.from({ length: classes }, (_, label): ClassScore => {
    const taken = new Array<number>(classes).fill(0);
    for (const [row, real] of truth.entries()) if (real === label) taken[guesses[row]!]!++;
    const hits = taken[label]!;
    const rows = taken.reduce((sum, count) => sum + count, 0);
    const guessed = guesses.filter((guess) => guess === label).length;
    const most = Math.max(0, ...taken.filter((_, other) => other !== label));
    const mistakenFor = most === 0 ? label : taken.findIndex((count, other) => other !== label && count === most);
    return { label, rows, recall: hits / rows, precision: guessed === 0 ? 0 : hits / guessed, mistakenFor };
  }).sort((a, b) => a.recall - b.recall || a.label - b.label);
}
