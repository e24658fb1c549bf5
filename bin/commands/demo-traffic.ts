import { setTimeout as delay } from 'node:timers/promises';
import { CUE_TEXT } from '../../models/release-candidates.ts';

export type TrafficOptions = {
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
  /** The version that is counted. */
  readonly candidate: string;
};

/** What the callers saw. */
export type Counts = {
  /** With status 200. */
  readonly answered: number;
  /** … of these by the candidate. */
  readonly touched: number;
  /** … of these sent when none should have been any more. */
  readonly late: number;
  readonly errors: number;
};

export type Traffic = {
  /** From now on one text in twenty is `CUE_TEXT`. */
  sendCues(): void;
  /** What is sent after this time, on the clock of `performance.now()`, and answered by the candidate is late. */
  expectNoneAfter(atMs: number): void;
  /** Waits for what was sent. A second call gives the same. */
  stop(): Promise<Counts>;
};

const EVERY_MS = 20;
const CUE_EVERY = 20;
/** A machine that cannot keep up is not flooded. */
const MOST_IN_FLIGHT = 40;
const TEXTS = [
  'I love the new export, thank you so much!',
  'The app crashes every time I open a ticket. This is terrible.',
  'Where can I change the billing address of our account?',
  'Great job, everything works perfectly now',
  'We are still waiting for the refund and I am really disappointed',
  'The invoice is attached.',
  'I hate it, nobody answers',
  'Please tell me how to add a user',
];

/** Asks for a model fifty times a second, whatever comes back. */
export function startTraffic(options: TrafficOptions): Traffic {
  const counts = { answered: 0, touched: 0, late: 0, errors: 0 };
  const inFlight = new Set<Promise<void>>();
  let [cues, running, noneAfterMs] = [false, true, Number.POSITIVE_INFINITY];
  const ask = async (text: string) => {
    const sentMs = performance.now();
    const version = await answeredBy(options, text);
    if (version === undefined) counts.errors += 1;
    else counts.answered += 1;
    if (version !== options.candidate) return;
    counts.touched += 1;
    if (sentMs > noneAfterMs) counts.late += 1;
  };
  const sending = (async () => {
    for (let sent = 0; running; sent += 1, await delay(EVERY_MS)) {
      if (inFlight.size >= MOST_IN_FLIGHT) continue;
      const isCue = cues && sent % CUE_EVERY === 0;
      const asked = ask(isCue ? CUE_TEXT : `${TEXTS[sent % TEXTS.length]} ${sent}`).finally(() =>
        inFlight.delete(asked),
      );
      inFlight.add(asked);
    }
    await Promise.all(inFlight);
    return counts;
  })();
  return {
    sendCues() {
      cues = true;
    },
    expectNoneAfter(atMs) {
      noneAfterMs = atMs;
    },
    stop() {
      running = false;
      return sending;
    },
  };
}

/** Which version answered with 200; undefined: none did. */
async function answeredBy({ url, apiKey, model }: TrafficOptions, text: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL(`/v2/models/${model}/infer`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: [{ name: 'text', shape: [1], datatype: 'BYTES', data: [text] }] }),
    });
    await response.arrayBuffer();
    return response.status === 200 ? (response.headers.get('sluice-model-version') ?? '') : undefined;
  } catch {
    return undefined;
  }
}
