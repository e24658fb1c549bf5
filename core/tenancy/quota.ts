import { Failure } from '../failure.ts';
import type { Caller, QuotaState } from '../inference/request.ts';
import type { Limits } from '../ports/limits.ts';
import { MINUTE_MS, SECOND_MS } from '../units.ts';
import type { GcraPolicy } from './gcra.ts';
import { Leases, type Taken } from './lease.ts';
import type { PlanLimits } from './plan.ts';

/** Rows may come at once up to ten seconds' worth, and always as many as the largest request that models allow by default. */
const ROW_BURST_SHARE = 1 / 6;
const LEAST_ROW_BURST = 256;

type Policies = { readonly requests: GcraPolicy; readonly rows: GcraPolicy };

/** The rates of plans, asked of the shared truth through leases. One per host. */
export class Quota {
  readonly #leases: Leases;
  readonly #policies = new WeakMap<PlanLimits, Policies>();

  constructor(limits: Pick<Limits, 'lease'>) {
    this.#leases = new Leases(limits);
  }

  /** Takes one request from the tenant's rate; throws `quota-exceeded`. Without a promise if a lease is at hand. */
  takeRequest(caller: Caller, nowMs: number): QuotaState | Promise<QuotaState> {
    return this.#take(caller, 'requests', 1, nowMs);
  }

  /** Takes `rows` from the tenant's rows per minute; throws `quota-exceeded`, or `input-too-large` if they never fit. */
  takeRows(caller: Caller, rows: number, nowMs: number): QuotaState | Promise<QuotaState> {
    return this.#take(caller, 'rows', rows, nowMs);
  }

  #take(caller: Caller, meter: keyof Policies, units: number, nowMs: number): QuotaState | Promise<QuotaState> {
    const policy = this.#policiesOf(caller.limits)[meter];
    const taken = this.#leases.take(caller.tenant.id, meter, policy, units, nowMs);
    return taken instanceof Promise
      ? taken.then((answer) => judge(meter, policy, units, answer))
      : judge(meter, policy, units, taken);
  }

  #policiesOf(limits: PlanLimits): Policies {
    let policies = this.#policies.get(limits);
    if (policies === undefined) {
      policies = toPolicies(limits);
      this.#policies.set(limits, policies);
    }
    return policies;
  }
}

function toPolicies(limits: PlanLimits): Policies {
  return {
    requests: { ratePerMs: limits.requestsPerSecond / SECOND_MS, burst: limits.requestBurst },
    rows: {
      ratePerMs: limits.rowsPerMinute / MINUTE_MS,
      burst: Math.max(LEAST_ROW_BURST, Math.ceil(limits.rowsPerMinute * ROW_BURST_SHARE)),
    },
  };
}

function judge(meter: keyof Policies, policy: GcraPolicy, units: number, taken: Taken): QuotaState {
  if (!taken.granted && !Number.isFinite(taken.retryAfterMs)) {
    throw new Failure('input-too-large', {
      field: meter,
      limit: Math.floor(policy.burst),
      detail: `${units} ${meter} never fit this plan at once`,
    });
  }
  const state: QuotaState = {
    policy: meter,
    limit: Math.floor(policy.burst),
    windowS: Math.max(1, Math.round(policy.burst / policy.ratePerMs / SECOND_MS)),
    remaining: taken.remaining,
    resetS: Math.ceil((taken.granted ? taken.resetMs : taken.retryAfterMs) / SECOND_MS),
  };
  if (taken.granted) return state;
  throw new Failure('quota-exceeded', {
    detail: `${meter} of this tenant's plan are used up`,
    violatedPolicy: meter,
    limit: state.limit,
    windowS: state.windowS,
    remaining: state.remaining,
    retryAfterMs: taken.retryAfterMs,
  });
}
