import type { Lease, Limits, Reservation, ReserveAnswer } from '../../core/ports/limits.ts';
import type { GcraPolicy } from '../../core/tenancy/gcra.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { ComputeBudget } from './compute-budget.ts';
import type { Commits } from './group-commit.ts';
import type { LimitRows } from './limit-rows.ts';
import { RateMeter, slackMs } from './rate-meter.ts';
import { StoredBound } from './stored-bound.ts';

type TenantUsage = { readonly rates: Map<string, RateMeter>; readonly compute: ComputeBudget };

/** A job may be running at its deadline, for as long as the longest timeout that a manifest may set. */
const LONGEST_RUN_MS = 10 * MINUTE_MS;

/**
 * Quotas of a region whose one process holds the truth in memory: a lease or reservation touches the disk only when
 * the bound written ahead is used up. A tenant's state is loaded when it first asks and stays.
 */
export class LocalLimits implements Limits {
  readonly #commits: Commits;
  readonly #rows: LimitRows;
  readonly #crashedBeforeMs: number | undefined;
  readonly #tenants = new Map<string, TenantUsage>();

  /** `crashedBeforeMs`: when the region was opened after its last crash, by this process or an earlier one. */
  constructor(commits: Commits, rows: LimitRows, crashedBeforeMs: number | undefined) {
    this.#commits = commits;
    this.#rows = rows;
    this.#crashedBeforeMs = crashedBeforeMs;
  }

  async lease(
    tenant: string,
    meter: string,
    policy: GcraPolicy,
    needed: number,
    wanted: number,
    nowMs: number,
  ): Promise<Lease> {
    const { rates } = this.#usageOf(tenant);
    let rate = rates.get(meter);
    if (rate === undefined) {
      rate = this.#loadRate(tenant, meter, policy);
      rates.set(meter, rate);
    }
    return rate.lease(policy, needed, wanted, nowMs);
  }

  reserve(reservation: Reservation, nowMs: number): ReserveAnswer | Promise<ReserveAnswer> {
    return this.#usageOf(reservation.tenant).compute.reserve(reservation, nowMs);
  }

  settle(tenant: string, id: string, computeMs: number, nowMs: number): void | Promise<void> {
    return this.#usageOf(tenant).compute.settle(id, computeMs, nowMs);
  }

  async usage(tenant: string, nowMs: number): Promise<{ inFlight: number; computeMs: number; dayStartMs: number }> {
    return this.#usageOf(tenant).compute.usage(nowMs);
  }

  async erase(tenant: string): Promise<void> {
    try {
      await this.#commits.write(() => this.#rows.erase(tenant));
    } finally {
      this.#tenants.delete(tenant);
    }
  }

  /** Writes down exactly what is used, so that a clean start charges nobody for a block. */
  async close(nowMs: number): Promise<void> {
    await this.#commits.write(() => {
      for (const [tenant, { rates, compute }] of this.#tenants) {
        for (const [meter, { tatMs }] of rates) this.#rows.putRate(tenant, meter, tatMs);
        const { computeMs, dayStartMs } = compute.usage(nowMs);
        this.#rows.putCompute(tenant, { dayStartMs, chargedMs: computeMs });
      }
    });
  }

  #usageOf(tenant: string): TenantUsage {
    let usage = this.#tenants.get(tenant);
    if (usage === undefined) {
      const store = (stored: { dayStartMs: number; chargedMs: number }) =>
        this.#commits.write(() => this.#rows.putCompute(tenant, stored));
      usage = { rates: new Map(), compute: new ComputeBudget(this.#rows.compute(tenant), store) };
      for (const job of this.#rows.openJobs(tenant)) usage.compute.restore(job.id, job.deadlineMs + LONGEST_RUN_MS);
      this.#tenants.set(tenant, usage);
    }
    return usage;
  }

  #loadRate(tenant: string, meter: string, policy: GcraPolicy): RateMeter {
    const boundMs = this.#rows.rateBoundMs(tenant, meter);
    const chargedMs = this.#crashedBeforeMs === undefined ? 0 : this.#crashedBeforeMs + slackMs(policy);
    const store = (bound: number) => this.#commits.write(() => this.#rows.putRate(tenant, meter, bound));
    return new RateMeter(Math.max(boundMs, chargedMs), new StoredBound(boundMs, store));
  }
}
