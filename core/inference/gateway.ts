import { Failure } from '../failure.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import { giveFeedback, type Truth } from '../quality/feedback/give-feedback.ts';
import type { Recording } from '../quality/recorder.ts';
import type { PlanLimits } from '../tenancy/plan.ts';
import type { Principal } from '../tenancy/principal.ts';
import { Quota } from '../tenancy/quota.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { SECOND_MS } from '../units.ts';
import { hasWorkers, LoadShedder } from './admit.ts';
import { type ServingVersion, VersionChooser } from './choose-version.ts';
import { submitOrFallBack } from './fallback.ts';
import { cancelPrediction, readPrediction } from './predictions.ts';
import type { Caller, InferAnswer, InferCall, QuotaState } from './request.ts';
import { LONGEST_WAIT_MS, submit } from './submit.ts';
import { WaitingHandlers } from './waiting-handlers.ts';

export type GatewayPorts = Omit<
  Platform,
  'artifacts' | 'uploads' | 'identity' | 'graphs' | 'sandbox' | 'telemetry' | 'validations' | 'webhookSender'
> &
  Recording;

/** What handlers call. One per host: it keeps what requests share (leases, routes, tenants), each for a second at most. */
export type Gateway = {
  /**
   * The tenant that a verified principal acts for, with its limits. Operators name one; the others have their own.
   * Throws `tenant-unknown`, `forbidden` (suspended or not theirs).
   */
  identify(principal: Principal, tenantId?: string): Caller | Promise<Caller>;
  /** One unit of the request rate; throws `quota-exceeded`. */
  takeRequest(caller: Caller): QuotaState | Promise<QuotaState>;
  infer(call: InferCall): Promise<InferAnswer>;
  /** The answer, `accepted` while it is pending, or the prediction's own failure thrown. */
  readPrediction(caller: Caller, id: string, waitMs: number, signal?: AbortSignal): Promise<InferAnswer>;
  cancelPrediction(caller: Caller, id: string): Promise<'cancelled' | 'ended'>;
  /** The truth of a prediction; see `giveFeedback` for what is refused. */
  giveFeedback(caller: Caller, id: string, truth: Truth): Promise<'counted' | 'again'>;
  /** The version that would answer this caller, of another model where the plan has a variant. Throws `model-unknown`, `version-unknown`, `version-not-ready`. */
  resolveVersion(caller: Caller, model: string, version: string | undefined): Promise<ModelVersion>;
  /** True if every pool has a worker, or gets one when it is needed: models load on demand. */
  isReady(): Promise<boolean>;
  /** True while this host takes new work. */
  accepting(): boolean;
  /** Refuses new work with `draining` from now on. */
  stopAccepting(): void;
};

export function createGateway(ports: GatewayPorts): Gateway {
  const quota = new Quota(ports.limits);
  const chooser = new VersionChooser(ports);
  const callers = new TenantReader(ports);
  const waiting = new WaitingHandlers(ports.waitingPlaces);
  const submission = { ports, quota, shedder: new LoadShedder(ports), waiting, chooser };
  const now = () => ports.clock.nowMs();
  let open = true;
  return {
    identify: (principal, tenantId) => callers.identify(principal, tenantId, now()),
    takeRequest: (caller) => quota.takeRequest(caller, now()),
    async infer(call) {
      if (!open) throw new Failure('draining', { retryAfterMs: SECOND_MS });
      const chosen = chooser.choose(call.caller, call.model, call.version, now());
      const serving = chosen instanceof Promise ? await chosen : chosen;
      const { fallback } = serving.version.manifest;
      // Who names a version gets that one, or is told why not.
      if (fallback === undefined || call.version !== undefined) return submit(submission, call, serving);
      return submitOrFallBack(submission, call, serving, fallback);
    },
    async readPrediction(caller, id, waitMs, signal) {
      const waits = waitMs > 0 && waiting.enter(caller);
      try {
        const untilMs = waits ? now() + Math.min(waitMs, LONGEST_WAIT_MS) : 0;
        // Whoever asks for what has not ended yet waits long, and asked to: nothing is free.
        return await readPrediction(ports, caller, id, { untilMs, signal, place: waiting.placeFor(caller, 0) });
      } finally {
        if (waits) waiting.leave(caller);
      }
    },
    cancelPrediction: (caller, id) => cancelPrediction(ports, caller, id),
    giveFeedback: (caller, id, truth) => giveFeedback(ports, caller, id, truth),
    async resolveVersion(caller, model, version) {
      const serving: ServingVersion = await chooser.choose(caller, model, version, now());
      return serving.version;
    },
    async isReady() {
      if (ports.wake.startsWorkers) return open;
      const pools = await Promise.all(ports.config.pools.map((pool) => ports.capacity.read(pool, now())));
      return open && pools.every(hasWorkers);
    },
    accepting: () => open,
    stopAccepting() {
      open = false;
    },
  };
}

type TenantWithLimits = { readonly tenant: Tenant; readonly limits: PlanLimits };

/** Tenants with their plan's limits, at most a second old. */
class TenantReader {
  readonly #registry: Platform['registry'];
  readonly #tenants = new FreshCache<TenantWithLimits | undefined>(SECOND_MS, 10_000);

  constructor(ports: Pick<Platform, 'registry'>) {
    this.#registry = ports.registry;
  }

  identify(principal: Principal, tenantId: string | undefined, nowMs: number): Caller | Promise<Caller> {
    if (principal.tenant !== undefined && tenantId !== undefined && tenantId !== principal.tenant) {
      throw new Failure('forbidden', { field: 'tenant', requiredRole: 'operator' });
    }
    const id = principal.tenant ?? tenantId;
    if (id === undefined)
      throw new Failure('request-invalid', { field: 'Sluice-Tenant', detail: 'name the tenant to act for' });
    const found = this.#tenants.get(id, nowMs, () => this.#read(id));
    return found instanceof Promise ? found.then((read) => toCaller(principal, read)) : toCaller(principal, found);
  }

  async #read(id: string): Promise<TenantWithLimits | undefined> {
    const tenant = await this.#registry.readTenant(id);
    if (tenant === undefined) return undefined;
    const plan = await this.#registry.readPlan(tenant.plan);
    if (plan === undefined) throw new Failure('plan-unknown', { plan: tenant.plan });
    return { tenant, limits: { ...plan.limits, ...definedOnly(tenant.overrides) } };
  }
}

function toCaller(principal: Principal, found: TenantWithLimits | undefined): Caller {
  if (found === undefined) throw new Failure('tenant-unknown', { field: 'tenant' });
  if (found.tenant.suspended) throw new Failure('forbidden', { detail: 'this tenant is suspended' });
  return { principal, tenant: found.tenant, limits: found.limits };
}

function definedOnly(overrides: Tenant['overrides']): Partial<PlanLimits> {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
}
