import { hashText } from './text-hash.ts';

/** Labels counted by name. 512 × about 40 bytes: 20 KB in an item at the most. */
const MOST_LABELS = 512;

export type TopLabels = { readonly top: readonly (readonly [label: string, count: number])[]; readonly other: number };

export type LabelContents = { counts: [label: string, count: number][]; other: number };

/**
 * How often each label was answered, for at most 512 labels by name; the rest is `other`. Of more than 512, those whose hash comes first are
 * kept, whatever their number: so a kept label has never been left out anywhere, its count is exact, and merging gives the same in every
 * order. (The most frequent ones could not be kept so: one rare here and frequent elsewhere would come back with part of its count.)
 */
export class LabelCounts {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;
  #other = 0;
  /** The kept label that comes last; known once as many are kept as may be. */
  #last: string | undefined;

  constructor(limit = MOST_LABELS) {
    this.#limit = limit;
  }

  get other(): number {
    return this.#other;
  }

  get total(): number {
    let total = this.#other;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  add(label: string, count = 1): void {
    const before = this.#counts.get(label);
    if (before !== undefined) this.#counts.set(label, before + count);
    else if (this.#last !== undefined && comesAfter(label, this.#last)) this.#other += count;
    else this.#keep(label, count);
  }

  merge(other: LabelCounts): void {
    this.#other += other.#other;
    for (const [label, count] of other.#counts) this.add(label, count);
  }

  get(label: string): number {
    return this.#counts.get(label) ?? 0;
  }

  labels(): IterableIterator<string> {
    return this.#counts.keys();
  }

  /** The `n` most frequent, those of one count in order of name, and how many answers had any other label. */
  top(n: number): TopLabels {
    const sorted = [...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const other = sorted.slice(n).reduce((sum, [, count]) => sum + count, this.#other);
    return { top: sorted.slice(0, n), other };
  }

  /** Everything in it, to be stored; `LabelCounts.of` reads it. */
  contents(): LabelContents {
    return { counts: [...this.#counts], other: this.#other };
  }

  static of({ counts, other }: LabelContents): LabelCounts {
    const labels = new LabelCounts();
    for (const [label, count] of counts) labels.add(label, count);
    labels.#other += other;
    return labels;
  }

  #keep(label: string, count: number): void {
    this.#counts.set(label, count);
    if (this.#last !== undefined) {
      this.#other += this.#counts.get(this.#last) ?? 0;
      this.#counts.delete(this.#last);
    }
    if (this.#counts.size < this.#limit) return;
    let last = label;
    for (const kept of this.#counts.keys()) if (comesAfter(kept, last)) last = kept;
    this.#last = last;
  }
}

function comesAfter(label: string, other: string): boolean {
  const [hash, otherHash] = [hashText(0, label), hashText(0, other)];
  return hash > otherHash || (hash === otherHash && label > other);
}
