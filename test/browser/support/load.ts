import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, InferJson, JsonTensor } from '../../support/http-client.ts';

/** Requests that go on until they are stopped, and which versions answered them. */
export type Load = {
  /** By version, so far. */
  readonly answered: ReadonlyMap<string, number>;
  stop(): Promise<void>;
};

const EVERY_MS = 25;
/** A machine that cannot keep up is not flooded. */
const MOST_IN_FLIGHT = 20;

/** Asks for a model forty times a second, whatever comes back. */
export function startLoad(caller: ApiClient, model: string, inputs: readonly JsonTensor[]): Load {
  const answered = new Map<string, number>();
  const inFlight = new Set<Promise<void>>();
  let running = true;
  const ask = async () => {
    const answer = await caller.infer(model, inputs).catch(() => undefined);
    if (answer?.status !== 200) return;
    const { model_version: version } = answer.json<InferJson>();
    answered.set(version, (answered.get(version) ?? 0) + 1);
  };
  const loop = async () => {
    while (running) {
      if (inFlight.size < MOST_IN_FLIGHT) {
        const one = ask().finally(() => inFlight.delete(one));
        inFlight.add(one);
      }
      await delay(EVERY_MS);
    }
  };
  const looping = loop();
  return {
    answered,
    async stop() {
      running = false;
      await looping;
      await Promise.all(inFlight);
    },
  };
}
