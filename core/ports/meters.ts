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

/** What was computed for a tenant by one version in one pool, on all workers, and what that cost in whole billionths of a dollar. */
export type TenantUse = Omit<MeteredUse, 'tenant'> & { readonly pool: string; readonly nanoUsd: number };

/** A day of a tenant, added up once it was over. */
export type TenantDay = { readonly tenant: string; readonly day: number; readonly uses: readonly TenantUse[] };

/** Days that are added up by tenant: from `since` on, set once, and before `until`. */
export type SummedDays = { readonly since: number; readonly until: number };

/**
 * What workers computed and for whom: what bills are made of. Ids and numbers, nothing of a payload.
 *
 * - Totals are cumulative: saving a record again, or a later one of the same name, puts it in place of what was there, so that nothing is
 *   counted twice however often it is repeated. One of less up time than what is there is late: it changes nothing.
 * - A tenant's day is kept in place of what was there; one without use has none.
 * - Records and sums of a day are forgotten 400 days after its end, and as if forgotten from then on whether or not they are gone.
 * - A read finds what was saved before it began.
 */
export interface Meters {
  /** At most 300 KB as JSON. Resolves when it is stored. */
  save(record: MeterRecord): Promise<void>;
  /** All records of a day, in no order. One that cannot be read is left out and logged: the rest is unaffected. */
  read(day: number): Promise<readonly MeterRecord[]>;
  /** Any number, of any tenants. Resolves when all are stored; on failure some may be, and all may be kept again. */
  keepTenantDays(days: readonly TenantDay[]): Promise<void>;
  /** Of a tenant, from a day on and before another, in order. One that cannot be read is left out and logged. */
  readTenantDays(tenant: string, from: number, until: number): Promise<readonly TenantDay[]>;
  /** Undefined: nothing was added up yet. */
  readSummed(): Promise<SummedDays | undefined>;
  /** `until` goes forward only, and `since` stays as it was first. */
  markSummed(days: SummedDays): Promise<void>;
  /** Forgets what has expired. Returns how many records, without sums. */
  purge(nowMs: number): Promise<number>;
}
