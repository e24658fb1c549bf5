import { type PendingPrediction, type Prediction, type PredictOptions, toPrediction } from './prediction.ts';
import type { FeedbackGiven, PredictionCancelled, RequestTensor } from './schema.ts';
import { SluiceError } from './sluice-error.ts';
import { sleep, type Transport } from './transport.ts';

/** Seconds that one request may wait at the server: it answers within 25. */
const LONGEST_POLL_S = 20;
const DEFAULT_WAIT_S = 60;
const LONGEST_PAUSE_S = 10;

export class Predictions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer, waited for; with `async` what was accepted. */
  async predict(
    model: string,
    inputs: readonly RequestTensor[],
    options: PredictOptions & { readonly async?: boolean } = {},
  ): Promise<Prediction | PendingPrediction> {
    const untilMs = Date.now() + 1000 * (options.waitS ?? DEFAULT_WAIT_S);
    const { version, deadlineS, outputs, idempotencyKey, signal } = options;
    const isAsync = options.async === true;
    const name = encodeURIComponent(model);
    const versionPath = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
    const answer = await this.#transport.send({
      method: 'POST',
      path: `/v2/models/${name}${versionPath}/infer`,
      headers: {
        prefer: isAsync ? 'respond-async' : `wait=${pollS(untilMs)}`,
        ...(idempotencyKey !== undefined && { 'idempotency-key': JSON.stringify(idempotencyKey) }),
        ...(options.cache !== undefined && { 'cache-control': options.cache }),
      },
      body: {
        inputs,
        ...(outputs !== undefined && { outputs: outputs.map((output) => ({ name: output })) }),
        ...(deadlineS !== undefined && { parameters: { timeout_ms: Math.round(deadlineS * 1000) } }),
      },
      signal,
      // Computing again does no harm; accepting a second time would leave a prediction that nobody asks for.
      repeatable: !isAsync || idempotencyKey !== undefined,
    });
    const prediction = toPrediction(answer);
    if (prediction.state === 'done' || isAsync) return prediction;
    return this.#poll(prediction, untilMs, signal);
  }

  /** What there is now. Throws the prediction's own failure, or `prediction-unknown`. */
  get(id: string, signal?: AbortSignal): Promise<Prediction | PendingPrediction> {
    return this.#ask(id, undefined, signal);
  }

  /** The answer, waited for up to `waitS` seconds (60); then throws `still-pending`. */
  wait(id: string, { waitS = DEFAULT_WAIT_S, signal }: WaitOptions = {}): Promise<Prediction> {
    const pending: PendingPrediction = { state: 'pending', id, version: '', retryAfterS: 0 };
    return this.#poll(pending, Date.now() + 1000 * waitS, signal);
  }

  /** `ended`: it had its outcome already. */
  async cancel(id: string, signal?: AbortSignal): Promise<PredictionCancelled['state']> {
    const path = `/v2/predictions/${encodeURIComponent(id)}`;
    const { body } = await this.#transport.send({ method: 'DELETE', path, signal, repeatable: true });
    return (body as PredictionCancelled).state;
  }

  /**
   * Tells the true label of a prediction, or those of its rows in order; `again`: the same was told before. `id` is `predictionId` of a
   * prediction. Throws `feedback-conflict` where another label was told before, which stays.
   */
  async giveFeedback(
    id: string,
    label: string | number | readonly (string | number)[],
    { at, signal }: FeedbackOptions = {},
  ): Promise<'counted' | 'again'> {
    const knownAt = at instanceof Date ? at.toISOString() : at;
    const { body } = await this.#transport.send({
      method: 'POST',
      path: `/v2/predictions/${encodeURIComponent(id)}/feedback`,
      body: { label, ...(knownAt !== undefined && { at: knownAt }) },
      signal,
      repeatable: true,
    });
    return (body as FeedbackGiven).counted ? 'counted' : 'again';
  }

  /** Each request waits at the server. Where that has no room, pauses grow from Retry-After to 10 s. */
  async #poll(first: PendingPrediction, untilMs: number, signal: AbortSignal | undefined): Promise<Prediction> {
    const { id } = first;
    for (let asked = 0; ; asked += 1) {
      const startedMs = Date.now();
      const prediction = await this.#ask(id, pollS(untilMs), signal);
      if (prediction.state === 'done') return prediction;
      const nowMs = Date.now();
      if (nowMs >= untilMs) throw stillPending(id, prediction.retryAfterS);
      const pauseMs = 1000 * Math.min(LONGEST_PAUSE_S, prediction.retryAfterS * 2 ** asked);
      await sleep(Math.min(Math.max(0, pauseMs - (nowMs - startedMs)), untilMs - nowMs), signal);
    }
  }

  async #ask(id: string, waitS: number | undefined, signal: AbortSignal | undefined) {
    const path = `/v2/predictions/${encodeURIComponent(id)}`;
    const headers = waitS === undefined ? {} : { prefer: `wait=${waitS}` };
    return toPrediction(await this.#transport.send({ method: 'GET', path, headers, signal, repeatable: true }));
  }
}

type WaitOptions = { readonly waitS?: number | undefined; readonly signal?: AbortSignal | undefined };

type FeedbackOptions = {
  /** When the label became known: ISO 8601. Default: now. */
  readonly at?: Date | string | undefined;
  readonly signal?: AbortSignal | undefined;
};

function pollS(untilMs: number): number {
  return Math.max(0, Math.min(LONGEST_POLL_S, Math.ceil((untilMs - Date.now()) / 1000)));
}

function stillPending(id: string, retryAfterS: number): SluiceError {
  return new SluiceError({
    code: 'still-pending',
    message: 'The prediction has not ended yet',
    advice: 'Wait for it again by its id, or cancel it.',
    retryable: true,
    retryAfterS,
    predictionId: id,
  });
}
