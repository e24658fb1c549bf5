import type { PlanLimits } from '../tenancy/plan.ts';
import type { Principal } from '../tenancy/principal.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Degradation } from './degradation.ts';
import type { Outcome } from './job.ts';
import type { Tensor } from './tensor.ts';

/** One infer body, decoded: tensors hold typed arrays, and every element fits its datatype and shape. */
export type InferRequest = {
  readonly clientId: string | undefined;
  readonly inputs: readonly Tensor[];
  /** Requested outputs in order; undefined is all. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[] | undefined;
  /** Whether outputs that do not say go back in the binary extension. */
  readonly binaryByDefault: boolean;
  /** `parameters.timeout_ms`: the caller's own deadline, counted from arrival. */
  readonly timeoutMs: number | undefined;
};

/** RFC 7240 preferences that Sluice honours. */
export type Prefer = { readonly respondAsync: boolean; readonly waitMs: number | undefined };

/**
 * What the request's `Cache-Control` wishes of the response cache: `refresh` (no-cache) is computed anew and kept,
 * `avoid` (no-store) neither reads nor is kept.
 */
export type Caching = 'use' | 'refresh' | 'avoid';

/** A verified caller with the tenant that it acts for and that tenant's limits (plan and overrides). */
export type Caller = { readonly principal: Principal; readonly tenant: Tenant; readonly limits: PlanLimits };

export type InferCall = {
  readonly caller: Caller;
  readonly model: string;
  /** undefined: the stable one. */
  readonly version: string | undefined;
  readonly request: InferRequest;
  readonly prefer: Prefer;
  readonly caching: Caching;
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** Why this model is asked in another one's place; undefined: the caller asks for it. */
  readonly degraded?: Degradation | undefined;
  /** Aborts when the caller has gone away: an answer that nobody waits for is cancelled unless it was accepted. */
  readonly signal: AbortSignal | undefined;
};

/** Facts about the caller's quota for the RateLimit headers: of the tightest policy looked at. */
export type QuotaState = {
  readonly policy: string;
  readonly limit: number;
  readonly windowS: number;
  readonly remaining: number;
  readonly resetS: number;
};

/** `bypass`: the caller's `Cache-Control` had it computed although the model has a cache. */
export type CacheOutcome = 'hit' | 'miss' | 'bypass';

export type InferAnswer =
  | {
      readonly kind: 'answered';
      readonly id: string;
      readonly model: string;
      /** The model that ran, where it is another than the one named. */
      readonly variant?: string | undefined;
      /** The caller's own `id`, echoed. */
      readonly clientId: string | undefined;
      readonly version: string;
      readonly outcome: Extract<Outcome, { kind: 'succeeded' }>;
      /** True if an earlier request with this Idempotency-Key made it. */
      readonly replayed: boolean;
      /** What the response cache had to do with it; undefined: nothing. */
      readonly cache?: CacheOutcome | undefined;
      /** Why a fallback answers; undefined: the model that was asked does. */
      readonly degraded?: Degradation | undefined;
    }
  | {
      readonly kind: 'accepted';
      readonly id: string;
      readonly version: string;
      /** As above. */
      readonly variant?: string | undefined;
      readonly degraded?: Degradation | undefined;
      readonly retryAfterMs: number;
    };
