/** A call as it went over the wire, and its answer. */
export type SdkRequest = { readonly operation: string; readonly asked: string; readonly answered: string };

/** The calls of one request are a round; the first `warmUp` are not counted. */
export type SdkCostSpec = {
  readonly rounds: readonly (readonly SdkRequest[])[];
  readonly gapMs: number;
  readonly warmUp: number;
};

/** CPU of each counted round. */
export type SdkCost = { readonly cpuMs: readonly number[] };
