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
