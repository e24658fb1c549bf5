/** Ways of breaking a promise. */
export type Breach =
  | 'job-lost'
  | 'wrong-outcome'
  | 'outcome-changed'
  | 'cancelled-but-ran'
  | 'two-jobs-of-one-key'
  | 'quarantine-forgotten'
  | 'quota-given-back'
  | 'record-lost'
  | 'record-went-back'
  | 'half-made'
  | 'left-behind'
  | 'damaged'
  | 'broke';

/** What the reader of a story has found. */
export type Verdict = {
  readonly breaches: readonly { readonly breach: Breach; readonly what: string }[];
  readonly counts: Readonly<Record<string, number>>;
};

export class Findings {
  readonly #breaches: { breach: Breach; what: string }[] = [];
  readonly #counts: Record<string, number> = {};

  report(breach: Breach, what: string): void {
    this.#breaches.push({ breach, what });
  }

  count(what: string, by = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + by;
  }

  verdict(): Verdict {
    return { breaches: this.#breaches, counts: this.#counts };
  }
}
