/**
 * `open`: nothing is run until `untilMs`. `half-open`: probes are. A closed one is reported too while it has seen work of
 * late. `tenant`: the one for which it is so, where it is closed for all others.
 */
export type BreakerReport = {
  readonly state: 'open' | 'half-open' | 'closed';
  readonly untilMs: number;
  readonly tenant?: string | undefined;
};

/** Of all GPUs of a worker together. */
export type GpuUsage = { readonly busyShare: number; readonly memoryBytes: number; readonly totalBytes: number };

/** What a worker's runners take of the machine, at most some ten seconds old. */
export type WorkerUsage = {
  /** Resident, pages that they share counted for each. */
  readonly memoryBytes: number;
  /** Of as many cores as there are runners: above 1 where one uses several. Undefined where it cannot be told. */
  readonly cpuShare: number | undefined;
  /** Undefined where there is none, or it does not answer. */
  readonly gpu: GpuUsage | undefined;
};

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
  /** Runners that have a version loaded and have run it, of versions that a release keeps warm, by `model@version`; absent where there is none. */
  readonly warm?: Readonly<Record<string, number>> | undefined;
  /** Versions that keep failing here, by `model@version`: how long they are left alone, and whether a probe may go. */
  readonly breakers: Readonly<Record<string, BreakerReport>>;
  readonly draining: boolean;
  /** Runners that load or run at this moment. */
  readonly busy?: number | undefined;
  readonly usage?: WorkerUsage | undefined;
  /** When the worker started. */
  readonly startedAtMs?: number | undefined;
};

/** Heartbeats of workers, for load shedding and readiness. Reads may be as old as the report interval. */
export interface Capacity {
  report(report: CapacityReport): Promise<void>;
  read(pool: string, nowMs: number): Promise<readonly CapacityReport[]>;
}
