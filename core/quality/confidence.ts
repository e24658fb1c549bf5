/** Twenty bins of 0.05: fine enough for Jensen-Shannon, and small enough for every item. */
export const CONFIDENCE_BINS = 20;

/** How sure the model was: counts of confidences from 0 to 1 in 20 equal bins; 1 is in the last. Merging is exact. */
export class Confidence {
  readonly bins: number[];

  constructor(bins: readonly number[] = new Array(CONFIDENCE_BINS).fill(0)) {
    if (bins.length !== CONFIDENCE_BINS) throw new RangeError(`not ${CONFIDENCE_BINS} bins: ${bins.length}`);
    this.bins = [...bins];
  }

  get count(): number {
    return this.bins.reduce((sum, count) => sum + count, 0);
  }

  /** Throws a RangeError if it is not a number from 0 to 1. */
  add(confidence: number): void {
    if (!(confidence >= 0 && confidence <= 1)) throw new RangeError(`not a confidence: ${confidence}`);
    this.bins[Math.min(CONFIDENCE_BINS - 1, Math.floor(confidence * CONFIDENCE_BINS))]! += 1;
  }

  merge(other: Confidence): void {
    for (let bin = 0; bin < CONFIDENCE_BINS; bin += 1) this.bins[bin]! += other.bins[bin]!;
  }
}
