import { VarintReader, VarintWriter } from './varint.ts';

/** First number of every encoding; a reader refuses those it does not know. */
const ENCODING = 1;
/** Smallest value told apart from others below it, and greatest told apart from others above it. In ms: 1 µs and 11.5 days. */
const LEAST = 1e-3;
const GREATEST = 1e9;
/** Sums are kept in these fractions of a unit as whole numbers, as only whole numbers add up the same in every order. */
const SUM_SCALE = 1024;

/** What a sketch resolves: buckets grow by `gamma`, which keeps a bucket's middle within `relativeError` of all its values. */
type Resolution = {
  readonly relativeError: number;
  readonly perLog: number;
  readonly first: number;
  readonly buckets: number;
  /** The value of each bucket. */
  readonly middles: Float64Array;
};

/**
 * γ = (1 + ε) / (1 - ε), bucket of v = ⌈log v / log γ⌉, value of bucket i = 2 γ^i / (γ + 1): Masson, Rim and Lee, "DDSketch: a fast and
 * fully-mergeable quantile sketch with relative-error guarantees", PVLDB 12(12), 2019.
 */
function resolution(relativeError: number): Resolution {
  const perLog = 1 / Math.log((1 + relativeError) / (1 - relativeError));
  const first = Math.ceil(Math.log(LEAST) * perLog);
  const last = Math.ceil(Math.log(GREATEST) * perLog);
  const buckets = last - first + 1;
  const middles = Float64Array.from(
    { length: buckets },
    (_, at) => Math.exp((at + first) / perLog) * (1 - relativeError),
  );
  return { relativeError, perLog, first, buckets, middles };
}

/** fine: within 1.9 % (727 buckets at most), for what is shown and compared. coarse: within 10 % (138), for the many cohorts of a release. */
const RESOLUTIONS = { fine: resolution(0.019), coarse: resolution(0.1) } as const;
const KINDS = ['fine', 'coarse'] as const;
export type SketchKind = (typeof KINDS)[number];

/**
 * How values are distributed, in bounded memory. Quantiles are within the kind's relative error of the true ones for values from 0.001 to
 * 10⁹: smaller ones above 0 count as 0.001, greater ones as 10⁹ (the only collapse, and one that no order of merging changes).
 * Merging loses nothing: merged sketches are equal to the sketch of all values, in whatever order they were added or merged.
 */
export class Sketch {
  readonly kind: SketchKind;
  readonly #resolution: Resolution;
  #zeros = 0;
  #count = 0;
  #scaledSum = 0;
  /** Counts of the buckets from `#offset` on; grows to what was seen. */
  #counts = new Float64Array(0);
  #offset = 0;

  constructor(kind: SketchKind = 'fine') {
    this.kind = kind;
    this.#resolution = RESOLUTIONS[kind];
  }

  get count(): number {
    return this.#count;
  }

  /** To 1/2,048 of a unit for each value; stops at 8.8 × 10¹². */
  get sum(): number {
    return this.#scaledSum / SUM_SCALE;
  }

  /** One value, at least 0 and finite: another one is a mistake of the caller and throws a RangeError. */
  add(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new RangeError(`not a value to count: ${value}`);
    this.#count += 1;
    this.#addToSum(Math.round(Math.min(value, GREATEST) * SUM_SCALE));
    if (value === 0) this.#zeros += 1;
    else this.#addToBucket(this.#bucketOf(value), 1);
  }

  /** Adds all values of another sketch of the same kind, which stays as it is. */
  merge(other: Sketch): void {
    if (other.kind !== this.kind)
      throw new TypeError(`a ${other.kind} sketch cannot be merged into a ${this.kind} one`);
    this.#count += other.#count;
    this.#addToSum(other.#scaledSum);
    this.#zeros += other.#zeros;
    const counts = other.#counts;
    if (counts.length === 0) return;
    this.#reserve(other.#offset);
    this.#reserve(other.#offset + counts.length - 1);
    for (let at = 0; at < counts.length; at += 1) this.#counts[other.#offset + at - this.#offset]! += counts[at]!;
  }

  clone(): Sketch {
    const copy = new Sketch(this.kind);
    copy.merge(this);
    return copy;
  }

  /** The value that a share `q` (0 to 1) of all values do not exceed; undefined of nothing. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = this.#zeros;
    if (rank <= seen) return 0;
    for (let at = 0; at < this.#counts.length; at += 1) {
      seen += this.#counts[at]!;
      if (rank <= seen) return this.#middleOf(this.#offset + at);
    }
    throw new Error('a sketch counts fewer values than it says');
  }

  /** Calls with every bucket that is not empty, from small to large: its middle, how many values, and its number; zeros are number -1. */
  forEach(visit: (middle: number, count: number, bucket: number) => void): void {
    if (this.#zeros > 0) visit(0, this.#zeros, -1);
    for (let at = 0; at < this.#counts.length; at += 1) {
      if (this.#counts[at]! > 0) visit(this.#middleOf(this.#offset + at), this.#counts[at]!, this.#offset + at);
    }
  }

  /** Values in buckets above the one that holds `value`. */
  countAbove(value: number): number {
    let above = 0;
    const bucket = value > 0 ? this.#bucketOf(value) : -1;
    for (let at = Math.max(0, bucket + 1 - this.#offset); at < this.#counts.length; at += 1) above += this.#counts[at]!;
    return above;
  }

  /** About two bytes for each bucket that is not empty, and ten more. */
  encode(): Uint8Array {
    const writer = new VarintWriter();
    for (const number of [ENCODING, KINDS.indexOf(this.kind), this.#scaledSum, this.#zeros]) writer.write(number);
    let next = 0;
    for (let at = 0; at < this.#counts.length; at += 1) {
      if (this.#counts[at] === 0) continue;
      const bucket = this.#offset + at;
      writer.write(bucket - next);
      writer.write(this.#counts[at]!);
      next = bucket + 1;
    }
    return writer.bytes();
  }

  /** Throws a RangeError on bytes that `encode` did not make. */
  static decode(bytes: Uint8Array): Sketch {
    const reader = new VarintReader(bytes);
    if (reader.read() !== ENCODING) throw new RangeError('an unknown encoding of a sketch');
    const kind = KINDS[reader.read()];
    if (kind === undefined) throw new RangeError('an unknown kind of sketch');
    const sketch = new Sketch(kind);
    sketch.#scaledSum = reader.read();
    sketch.#zeros = reader.read();
    sketch.#count = sketch.#zeros;
    for (let next = 0; !reader.ended; ) {
      const bucket = next + reader.read();
      if (bucket >= sketch.#resolution.buckets) throw new RangeError('a bucket beyond the last');
      const count = reader.read();
      sketch.#addToBucket(bucket, count);
      sketch.#count += count;
      next = bucket + 1;
    }
    return sketch;
  }

  /** A sum stops at the largest exact number, which keeps adding the same in every order. */
  #addToSum(scaled: number): void {
    this.#scaledSum = Math.min(this.#scaledSum + scaled, Number.MAX_SAFE_INTEGER);
  }

  #bucketOf(value: number): number {
    const { perLog, first, buckets } = this.#resolution;
    const bucket = Math.ceil(Math.log(value) * perLog) - first;
    return bucket < 0 ? 0 : bucket >= buckets ? buckets - 1 : bucket;
  }

  #middleOf(bucket: number): number {
    return this.#resolution.middles[bucket]!;
  }

  #addToBucket(bucket: number, count: number): void {
    const at = bucket - this.#offset;
    if (at >= 0 && at < this.#counts.length) this.#counts[at]! += count;
    else {
      this.#reserve(bucket);
      this.#counts[bucket - this.#offset]! += count;
    }
  }

  #reserve(bucket: number): void {
    const length = this.#counts.length;
    if (length > 0 && bucket >= this.#offset && bucket < this.#offset + length) return;
    const from = length === 0 ? bucket : Math.min(this.#offset, bucket);
    const until = length === 0 ? bucket + 1 : Math.max(this.#offset + length, bucket + 1);
    const grown = new Float64Array(until - from);
    if (length > 0) grown.set(this.#counts, this.#offset - from);
    this.#counts = grown;
    this.#offset = from;
  }
}
