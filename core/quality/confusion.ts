import { type LabelContents, LabelCounts } from './label-counts.ts';
import { hashText } from './text-hash.ts';

/** Actual labels, and predicted ones of each: 32 × 32 × about 12 bytes is what an item has room for. */
const MOST_ACTUAL = 32;

/** Of each label how many rows had it as their true one, as the predicted one, and as both. */
export type ClassCounts = {
  readonly actual: LabelCounts;
  readonly predicted: LabelCounts;
  readonly right: LabelCounts;
};

type ClassContents = { readonly [Name in keyof ClassCounts]: LabelContents };

export const CLASS_COUNTS = ['actual', 'predicted', 'right'] as const;

export type ConfusionContents = {
  readonly labels: readonly (readonly [actual: string, predicted: LabelContents])[];
  readonly other: LabelContents;
  readonly classes: ClassContents;
};

/**
 * What was predicted of rows whose true label came in: for at most 32 actual labels by name, the rest together. As in `LabelCounts` those whose
 * hash comes first are kept, so that what is kept is exact and merging gives the same in every order. `classes` has what each label needs by itself, of
 * as many as `LabelCounts` keeps.
 */
export class Confusion {
  readonly #limit: number;
  readonly #predicted = new Map<string, LabelCounts>();
  /** What was predicted of all actual labels that are not kept by name. */
  readonly other: LabelCounts;
  readonly classes: ClassCounts = {
    actual: new LabelCounts(),
    predicted: new LabelCounts(),
    right: new LabelCounts(),
  };

  constructor(limit = MOST_ACTUAL) {
    this.#limit = limit;
    this.other = new LabelCounts(limit);
  }

  get total(): number {
    let total = this.other.total;
    for (const predicted of this.#predicted.values()) total += predicted.total;
    return total;
  }

  add(actual: string, predicted: string, count = 1): void {
    this.classes.actual.add(actual, count);
    this.classes.predicted.add(predicted, count);
    if (actual === predicted) this.classes.right.add(actual, count);
    this.#countsOf(actual).add(predicted, count);
    this.#makeRoom();
  }

  merge(part: Confusion): void {
    this.other.merge(part.other);
    for (const name of CLASS_COUNTS) this.classes[name].merge(part.classes[name]);
    for (const [actual, predicted] of part.#predicted) this.#addAll(actual, predicted);
  }

  /** Actual labels that are kept by name. */
  actual(): IterableIterator<string> {
    return this.#predicted.keys();
  }

  /** What was predicted of an actual label; undefined of one that is not kept by name. */
  of(actual: string): LabelCounts | undefined {
    return this.#predicted.get(actual);
  }

  /** Everything in it, to be stored; `Confusion.of` reads it. */
  contents(): ConfusionContents {
    return {
      labels: [...this.#predicted].map(([actual, predicted]) => [actual, predicted.contents()]),
      other: this.other.contents(),
      classes: {
        actual: this.classes.actual.contents(),
        predicted: this.classes.predicted.contents(),
        right: this.classes.right.contents(),
      },
    };
  }

  static of({ labels, other, classes }: ConfusionContents, limit = MOST_ACTUAL): Confusion {
    const confusion = new Confusion(limit);
    confusion.other.merge(LabelCounts.of(other));
    for (const name of CLASS_COUNTS) confusion.classes[name].merge(LabelCounts.of(classes[name]));
    for (const [actual, predicted] of labels) confusion.#addAll(actual, LabelCounts.of(predicted));
    return confusion;
  }

  #addAll(actual: string, predicted: LabelCounts): void {
    this.#countsOf(actual).merge(predicted);
    this.#makeRoom();
  }

  #countsOf(actual: string): LabelCounts {
    const found = this.#predicted.get(actual);
    if (found !== undefined) return found;
    const added = new LabelCounts(this.#limit);
    this.#predicted.set(actual, added);
    return added;
  }

  #makeRoom(): void {
    if (this.#predicted.size <= this.#limit) return;
    const last = [...this.#predicted.keys()].reduce((a, b) => (comesAfter(a, b) ? a : b));
    this.other.merge(this.#predicted.get(last)!);
    this.#predicted.delete(last);
  }
}

function comesAfter(label: string, other: string): boolean {
  const [hash, otherHash] = [hashText(0, label), hashText(0, other)];
  return hash > otherHash || (hash === otherHash && label > other);
}
