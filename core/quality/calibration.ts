import { CONFIDENCE_BINS } from './confidence.ts';

const NAMES = ['count', 'correct', 'confidence'] as const;

/**
 * Whether a model is as often right as it is sure, over the bins of `Confidence`: in each, answers whose truth is known, how many of them were
 * right, and the sum of their confidences in whole 1/1024, which adds up the same in every order.
 */
export class Calibration {
  readonly count: number[];
  readonly correct: number[];
  readonly confidence: number[];

  constructor(bins?: readonly [count: readonly number[], correct: readonly number[], confidence: readonly number[]]) {
    const [count, correct, confidence] = bins ?? NAMES.map(() => new Array<number>(CONFIDENCE_BINS).fill(0));
    for (const figures of [count!, correct!, confidence!])
      if (figures.length !== CONFIDENCE_BINS) throw new RangeError(`not ${CONFIDENCE_BINS} bins: ${figures.length}`);
    this.count = [...count!];
    this.correct = [...correct!];
    this.confidence = [...confidence!];
  }

  get total(): number {
    return this.count.reduce((sum, count) => sum + count, 0);
  }

  /** Throws a RangeError if it is not a number from 0 to 1. */
  add(confidence: number, isCorrect: boolean): void {
    if (!(confidence >= 0 && confidence <= 1)) throw new RangeError(`not a confidence: ${confidence}`);
    const bin = Math.min(CONFIDENCE_BINS - 1, Math.floor(confidence * CONFIDENCE_BINS));
    this.count[bin]! += 1;
    if (isCorrect) this.correct[bin]! += 1;
    this.confidence[bin]! += Math.round(confidence * 1024) / 1024;
  }

  merge(other: Calibration): void {
    for (const name of NAMES) for (let bin = 0; bin < CONFIDENCE_BINS; bin += 1) this[name][bin]! += other[name][bin]!;
  }
}
