import type { InferResponse, PredictionPending, ResponseTensor } from './schema.ts';
import type { HttpAnswer } from './transport.ts';

export type PredictOptions = {
  /** The stable version unless one is named. */
  readonly version?: string | undefined;
  /** Seconds to wait for the answer in all; then it is `still-pending`. Default 60. */
  readonly waitS?: number | undefined;
  /** Seconds from arrival after which nobody has any use for the answer. */
  readonly deadlineS?: number | undefined;
  /** Makes repeating safe: the same request with the same key is computed once and answered the same. */
  readonly idempotencyKey?: string | undefined;
  /** Of models with a response cache: `no-cache` computes anew, `no-store` keeps nothing either. Default: use it. */
  readonly cache?: 'no-cache' | 'no-store' | undefined;
  /** Only these outputs, in this order. */
  readonly outputs?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** A prediction that has its answer. */
export type Prediction = {
  readonly state: 'done';
  /** Of the prediction, or the id that the request had. */
  readonly id: string;
  /** Names it when its true label is told; undefined where a cache answered. */
  readonly predictionId: string | undefined;
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly ResponseTensor[];
  /** The model that ran in the place of the one named, by the tenant's plan. */
  readonly variant: string | undefined;
  readonly cache: 'hit' | 'miss' | 'bypass' | 'none';
  /** Why a fallback answered and not the model that was asked. */
  readonly degraded: string | undefined;
  /** True if an earlier request with this idempotency key made the answer. */
  readonly replayed: boolean;
  readonly region: string | undefined;
  readonly requestId: string | undefined;
};

/** A prediction that was accepted and has no answer yet. */
export type PendingPrediction = {
  readonly state: 'pending';
  readonly id: string;
  readonly version: string;
  readonly retryAfterS: number;
};

/** What an answer of 200 or 202 tells. */
export function toPrediction({ status, headers, body }: HttpAnswer): Prediction | PendingPrediction {
  const header = (name: string) => headers.get(name) ?? undefined;
  if (status === 202) {
    const { id, model_version: version } = body as PredictionPending;
    return { state: 'pending', id, version, retryAfterS: Number(header('retry-after') ?? 1) };
  }
  const { id, model_name: model, model_version: version, outputs } = body as InferResponse;
  return {
    state: 'done',
    id,
    predictionId: header('sluice-prediction'),
    model,
    version,
    outputs,
    variant: header('sluice-variant'),
    cache: (header('sluice-cache') ?? 'none') as Prediction['cache'],
    degraded: header('sluice-degraded'),
    replayed: header('sluice-replayed') === 'true',
    region: header('sluice-region'),
    requestId: header('sluice-request-id'),
  };
}
