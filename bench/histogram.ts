/** Buckets are this much wider than the one before: quantiles are exact to 1 %. */
const GROWTH = 1.01;
const LEAST_US = 1;
/** ln(100 s in µs) / ln(1.01) = 1,851. */
const BUCKETS = 1_852;
const SCALE = 1 / Math.log(GROWTH);

/** How long things took, in log-scaled buckets from 1 µs to 100 s that can be added up over runs. */
export class Histogram {
  readonly counts: Uint32Array;

  constructor(counts?: readonly number[]) {
    this.counts = counts === undefined ? new Uint32Array(BUCKETS) : Uint32Array.from(counts);
  }

  record(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(LEAST_US, ms * 1_000)) * SCALE);
    this.counts[Math.min(bucket, BUCKETS - 1)]! += 1;
  }

  add(other: Histogram): this {
    for (let at = 0; at < BUCKETS; at += 1) this.counts[at]! += other.counts[at]!;
    return this;
  }

  total(): number {
    let total = 0;
    for (const count of this.counts) total += count;
    return total;
  }

  /** Milliseconds below which a share `q` (0 to 1) of the recorded lie; NaN if nothing was recorded. */
  quantile(q: number): number {
    const rank = Math.ceil(this.total() * q);
    let seen = 0;
    for (let at = 0; at < BUCKETS; at += 1) {
      seen += this.counts[at]!;
      if (seen >= rank && seen > 0) return GROWTH ** (at + 0.5) / 1_000;
    }
    return Number.NaN;
  }
}
