import type { PendingPrediction, Prediction, PredictOptions } from './prediction.ts';
import { Predictions } from './predictions.ts';
import { type ModelList, type ModelMetadata, OPERATIONS, type Operations, type RequestTensor } from './schema.ts';
import { type ClientOptions, Transport } from './transport.ts';

export type OperationId = keyof Operations;
type Parts<Id extends OperationId> = Omit<Operations[Id], 'answer'> & {
  readonly signal?: AbortSignal;
  /** Of operations that take one: sent again with the same key it is done once. */
  readonly idempotencyKey?: string;
};
/** Nothing need be given where the operation needs nothing. */
type Given<Id extends OperationId> = Record<never, never> extends Parts<Id> ? [parts?: Parts<Id>] : [parts: Parts<Id>];

export type SluiceClient = {
  /**
   * Predicts, and waits for the answer: 60 s unless `waitS` says otherwise. With `async` it is accepted at once, to be
   * asked for later.
   */
  predict(
    model: string,
    inputs: readonly RequestTensor[],
    options: PredictOptions & { readonly async: true },
  ): Promise<PendingPrediction>;
  predict(
    model: string,
    inputs: readonly RequestTensor[],
    options?: PredictOptions & { readonly async?: false },
  ): Promise<Prediction>;
  readonly predictions: Pick<Predictions, 'get' | 'wait' | 'cancel' | 'giveFeedback'>;
  readonly models: {
    /** Those that plan and credential include. */
    list(signal?: AbortSignal): Promise<ModelList['models']>;
    /** Inputs and outputs, of the stable version unless another is named. */
    get(model: string, version?: string, signal?: AbortSignal): Promise<ModelMetadata>;
    isReady(model: string, signal?: AbortSignal): Promise<boolean>;
  };
  /** Any operation of the API by its id in the OpenAPI document. */
  call<Id extends OperationId>(id: Id, ...given: Given<Id>): Promise<Operations[Id]['answer']>;
};

/** A client of one region. Runs in browsers and in Node 20 and later; keeps nothing but a token. Every failure is a `SluiceError`. */
export function createSluiceClient(options: ClientOptions): SluiceClient {
  const transport = new Transport(options);
  const predictions = new Predictions(transport);
  const call: SluiceClient['call'] = async (id, ...[parts]) => {
    const [method, template, answerStatus]: readonly [string, string, number?] = OPERATIONS[id];
    const { params, query, body, signal, idempotencyKey } = (parts ?? {}) as AnyParts;
    const path = `${fill(template, params)}${search(query)}`;
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': JSON.stringify(idempotencyKey) };
    const repeatable = method !== 'POST' || idempotencyKey !== undefined;
    const answer = await transport.send({ method, path, headers, body, signal, repeatable, answerStatus });
    return answer.body as Operations[typeof id]['answer'];
  };
  return {
    predict: ((model, inputs, wishes) => predictions.predict(model, inputs, wishes)) as SluiceClient['predict'],
    predictions,
    models: {
      async list(signal) {
        const found: ModelList['models'] = [];
        let cursor: string | null = null;
        do {
          const query: Operations['model-list']['query'] = { limit: 1000, ...(cursor !== null && { cursor }) };
          const page: ModelList = await call('model-list', { query, ...(signal && { signal }) });
          found.push(...page.models);
          cursor = page.next;
        } while (cursor !== null);
        return found;
      },
      get: (model, version, signal) =>
        version === undefined
          ? call('model-metadata', { params: { model }, ...(signal && { signal }) })
          : call('version-metadata', { params: { model, version }, ...(signal && { signal }) }),
      isReady: async (model, signal) =>
        (await call('model-ready', { params: { model }, ...(signal && { signal }) })).ready,
    },
    call,
  };
}

type AnyParts = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
};

function fill(template: string, params: AnyParts['params'] = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function search(query: AnyParts['query'] = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
