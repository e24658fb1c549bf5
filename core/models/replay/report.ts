/** One of the two versions, and how its runs went. Milliseconds are of compute, one input alone; absent without a run. */
export type SideReport = {
  readonly model: string;
  readonly version: string;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly refused: number;
  readonly crashed: number;
  readonly timedOut: number;
};

/** A label and the other one that took its place. */
export type LabelChange = { readonly from: string; readonly to: string; readonly count: number };

/**
 * One output over all inputs that both versions answered. `incomparable`: inputs for which it is missing, has another shape or
 * type, or is finite on one side alone.
 */
export type OutputReport =
  | {
      readonly kind: 'numbers';
      readonly name: string;
      readonly incomparable: number;
      /** Of the largest |to − from| of each input. */
      readonly largestDifference: number;
      readonly p99Difference: number;
    }
  | {
      readonly kind: 'labels';
      readonly name: string;
      readonly incomparable: number;
      /** Elements: a label a row, for most models. */
      readonly labels: number;
      readonly changed: number;
      /** The most frequent first; of golden pairs only, as labels of captured predictions are their tenants'. */
      readonly changes: readonly LabelChange[];
    };

/** What running the same inputs through two versions has shown. Holds nothing of captured inputs and outputs but differences. */
export type ReplayReport = {
  readonly source: 'golden' | 'captured';
  readonly from: SideReport;
  readonly to: SideReport;
  /** Inputs that were there to be compared, within the limit. */
  readonly inputs: number;
  /** agree + differ + bothFailed. */
  readonly compared: number;
  readonly agree: number;
  /** Beyond the tolerance of `from`, another label, or only one of them answered. */
  readonly differ: number;
  readonly bothFailed: number;
  /** Why not all were compared: time was up, a version ended its process too often, or the caller went away. */
  readonly stopped: 'time' | 'crashes' | 'cancelled' | undefined;
  readonly outputs: readonly OutputReport[];
  /** Which inputs differ: ids of predictions, or `pair 7` of the golden file, from 1. The first hundred. */
  readonly differing: readonly string[];
  readonly tookMs: number;
};
