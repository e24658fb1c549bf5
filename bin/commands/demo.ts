import type { SampleCredentials } from '../../embedded/sample-data.ts';
import { paint, renderTable } from '../table.ts';

/** One call of the tour and what came back. */
type Stop = {
  readonly what: string;
  readonly status: number;
  readonly took: string;
  readonly answer: string;
  readonly asExpected: boolean;
};

type Call = {
  readonly tenant: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly at?: string;
};

export type SampleRequest = { readonly model: string; readonly body: unknown };

/** Calls the running platform as its tenants would and prints a table of what happened. True if all went as it should. */
export async function runDemo(credentials: SampleCredentials, samples: readonly SampleRequest[]): Promise<boolean> {
  const tour = new Tour(credentials);
  for (const { model, body } of samples) {
    await tour.stop(`acme asks ${model}`, 200, { tenant: 'acme', path: `/v2/models/${model}/infer`, body });
  }
  const body = samples[0]?.body;
  const path = `/v2/models/${samples[0]?.model}/infer`;
  await tour.stop('globex asks in its own region, eu', 200, { tenant: 'globex', path, body });
  const accepted = await tour.stop('acme asks without waiting', 202, {
    tenant: 'acme',
    path,
    body,
    headers: { prefer: 'respond-async' },
  });
  const location = accepted.headers.get('location') ?? '';
  await tour.stop('… and fetches the result', 200, { tenant: 'acme', path: location, headers: { prefer: 'wait=10' } });
  await tour.stop('initech asks for that result', 404, { tenant: 'initech', path: location });
  await tour.stop('globex calls the wrong region, us', 421, { tenant: 'globex', path, body, at: tour.urlOf('acme') });
  await tour.exhaust('initech (free) calls until its quota ends', { tenant: 'initech', path, body });
  console.log(tour.render());
  return tour.allAsExpected();
}

class Tour {
  readonly #credentials: SampleCredentials;
  readonly #stops: Stop[] = [];

  constructor(credentials: SampleCredentials) {
    this.#credentials = credentials;
  }

  urlOf(tenant: string): string {
    return this.#find(tenant).url;
  }

  async stop(what: string, expected: number, call: Call): Promise<Response> {
    const startedMs = performance.now();
    const response = await this.#send(call);
    const text = await response.clone().text();
    const took = `${(performance.now() - startedMs).toFixed(1)} ms`;
    this.#stops.push({
      what,
      status: response.status,
      took,
      answer: summarize(response, text),
      asExpected: response.status === expected,
    });
    return response;
  }

  /** Calls at most 50 times, until the quota answers 429. */
  async exhaust(what: string, call: Call): Promise<void> {
    for (let calls = 1; calls <= 50; calls += 1) {
      const response = await this.#send(call);
      const text = await response.text();
      if (response.status === 200) continue;
      const answer = `${summarize(response, text)} after ${calls - 1} answers; Retry-After: ${response.headers.get('retry-after')} s`;
      this.#stops.push({ what, status: response.status, took: '', answer, asExpected: response.status === 429 });
      return;
    }
    this.#stops.push({ what, status: 200, took: '', answer: 'never refused', asExpected: false });
  }

  render(): string {
    const rows = this.#stops.map(({ what, status, took, answer, asExpected }) => [
      asExpected ? paint('green', 'ok') : paint('red', 'NOT AS EXPECTED'),
      what,
      String(status),
      took,
      answer,
    ]);
    return renderTable(['', 'who does what', 'status', 'took', 'answer'], rows);
  }

  allAsExpected(): boolean {
    return this.#stops.every((stop) => stop.asExpected);
  }

  #find(tenant: string): SampleCredentials['tenants'][number] {
    const found = this.#credentials.tenants.find((each) => each.tenant === tenant);
    if (found === undefined)
      throw new Error(`sample-credentials.json has no tenant ${tenant}: start with an empty data folder`);
    return found;
  }

  #send({ tenant, path, body, headers, at }: Call): Promise<Response> {
    const { url, apiKey } = this.#find(tenant);
    return fetch(new URL(path, at ?? url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

type Answer = {
  readonly outputs?: readonly { readonly name: string; readonly data: readonly unknown[] }[];
  readonly code?: string;
  readonly home_url?: string;
};

function summarize(response: Response, text: string): string {
  if (text === '') return '';
  const answer = JSON.parse(text) as Answer;
  if (answer.outputs !== undefined) {
    const outputs = answer.outputs.map((output) => `${output.name} = ${shorten(output.data)}`).join(', ');
    return `${outputs} (version ${response.headers.get('sluice-model-version')})`;
  }
  if (answer.home_url !== undefined) return `${answer.code}: home is ${answer.home_url}`;
  return answer.code ?? response.headers.get('location') ?? '';
}

function shorten(data: readonly unknown[]): string {
  const shown = data
    .slice(0, 3)
    .map((value) => (typeof value === 'number' ? String(Number(value.toPrecision(3))) : String(value)));
  return `[${shown.join(', ')}${data.length > 3 ? `, … ${data.length}` : ''}]`;
}
