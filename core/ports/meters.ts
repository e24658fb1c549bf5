/** How capacity is bought: `mixed` is a worker that cannot know which of two it runs on. */
export const PURCHASES = ['on-demand', 'spot', 'mixed'] as const;
export type Purchase = (typeof PURCHASES)[number];

/** A worker process and how long it was there. */
export type MeteredWorker = {
  readonly worker: string;
  readonly pool: string;
  /** `g5.xlarge`, `fargate-arm64-4x8` (vCPU × GiB), or `local`. */
  readonly instanceType: string;
  readonly purchase: Purchase;
  readonly gpu: boolean;
  /** Runs that it can do at once. */
  readonly runners: number;
  /** What an hour of it costs, in US dollars, by the price list that it was started with. */
  readonly usdPerHour: number;
  readonly upMs: number;
  /** Of all runners together: running, loading, or taken for a run that begins. */
  readonly busyMs: number;
};

/** What was computed for one tenant by one version. */
export type MeteredUse = {
  /** '' for what the platform runs for itself: shadow copies of a release, synthetic checks. */
  readonly tenant: string;
  readonly model: string;
  readonly version: string;
  readonly computeMs: number;
  readonly rows: number;
  /** Jobs that a worker ended. */
  readonly requests: number;
};

/**
 * Totals of one writer in one day so far. `day`, `writer` and `part` together name it; parts of a writer's day add up. A part whose writer
 * went on to the next one never changes again.
 */
export type MeterRecord = {
  /** Days since 1970-01-01, in UTC. */
  readonly day: number;
  /** One start of one worker. */
  readonly writer: string;
  readonly part: number;
  readonly worker: MeteredWorker;
  /** Each tenant and version once. */
  readonly uses: readonly MeteredUse[];
};

/**
 * What workers computed and for whom: what bills are made of. Ids and numbers, nothing of a payload.
 *
 * - Totals are cumulative: saving a record again, or a later one of the same name, puts it in place of what was there, so that nothing is
 *   counted twice however often it is repeated. One of less up time than what is there is late: it changes nothing.
 * - Records of a day are forgotten 400 days after its end, and as if forgotten from then on whether or not they are gone.
 * - A read finds what was saved before it began.
 */
export interface Meters {
  /** At most 300 KB as JSON. Resolves when it is stored. */
  save(record: MeterRecord): Promise<void>;
  /** All records of a day, in no order. One that cannot be read is left out and logged: the rest is unaffected. */
  read(day: number): Promise<readonly MeterRecord[]>;
  /** Forgets what has expired. Returns how many records. */
  purge(nowMs: number): Promise<number>;
}
