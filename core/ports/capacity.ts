/** What one worker says of itself. Reports older than 10 s are as if they were not there. */
export type CapacityReport = {
  readonly worker: string;
  readonly pool: string;
  readonly atMs: number;
  readonly runners: number;
  /** Measured compute of what it holds and has not started, over all its runners. */
  readonly backlogMs: number;
  /** Measured milliseconds of a row in the runs of late, by `model@version`. */
  readonly rowMs: Readonly<Record<string, number>>;
  /** `model@version` loaded and warm. */
  readonly loaded: readonly string[];
  readonly draining: boolean;
};

/** Heartbeats of workers, for load shedding and readiness. Reads may be as old as the report interval. */
export interface Capacity {
  report(report: CapacityReport): Promise<void>;
  read(pool: string, nowMs: number): Promise<readonly CapacityReport[]>;
}
