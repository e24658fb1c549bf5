import { expectDescribed } from './expect-described.ts';

/** What a server answered, read to its end. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;

  constructor(status: number, headers: Headers, bytes: Uint8Array) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The JSON body; what it is said to be is for the test to check. */
  json<T = Record<string, unknown>>(): T {
    return JSON.parse(this.text) as T;
  }

  header(name: string): string | undefined {
    return this.headers.get(name) ?? undefined;
  }
}

export type JsonTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data?: readonly unknown[];
  readonly parameters?: Readonly<Record<string, unknown>>;
};

export type InferJson = {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly JsonTensor[];
};

export type HeaderList = Readonly<Record<string, string>>;

export type Call = {
  /** Bytes and text go as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: HeaderList;
  readonly signal?: AbortSignal;
};

export type InferOptions = {
  readonly headers?: HeaderList;
  readonly signal?: AbortSignal;
  readonly version?: string;
  /** Members of the body beside `inputs`. */
  readonly members?: Readonly<Record<string, unknown>>;
};

/** One caller of one region. Redirects are answers like any other; what succeeds is held against the route table. */
export class ApiClient {
  readonly url: string;
  readonly key: string | undefined;

  constructor(url: string, key: string | undefined) {
    this.url = url;
    this.key = key;
  }

  /** The same caller at another region. */
  at(url: string): ApiClient {
    return new ApiClient(url, this.key);
  }

  async send(method: string, path: string, { body, headers, signal }: Call = {}): Promise<Answer> {
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const init = {
      method,
      redirect: 'manual',
      headers: {
        ...(this.key === undefined ? {} : { authorization: `Bearer ${this.key}` }),
        ...(raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    } as const;
    const content = raw ? (body as string | Uint8Array<ArrayBuffer> | undefined) : JSON.stringify(body);
    const response = await fetchOnce(new URL(path, this.url), init, content);
    const answer = new Answer(response.status, response.headers, new Uint8Array(await response.arrayBuffer()));
    expectDescribed(method, path, answer);
    return answer;
  }

  get(path: string, headers: HeaderList = {}): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body: unknown, headers: HeaderList = {}): Promise<Answer> {
    return this.send('POST', path, { body, headers });
  }

  infer(model: string, inputs: readonly JsonTensor[], options: InferOptions = {}): Promise<Answer> {
    const { headers = {}, version, members, signal } = options;
    const body = { inputs, ...members };
    return this.send('POST', inferPath(model, version), { body, headers, ...(signal && { signal }) });
  }

  /** The result of an accepted prediction, waited for up to ten seconds. */
  result(location: string): Promise<Answer> {
    return this.get(location, { prefer: 'wait=10' });
  }
}

/**
 * Node's fetch sends what was answered 421 again on a new connection, as the Fetch standard has it, and breaks where the first
 * answer is still coming: then without a source that could be sent again.
 */
async function fetchOnce(
  url: URL,
  init: RequestInit,
  body: string | Uint8Array<ArrayBuffer> | undefined,
): Promise<Response> {
  if (body === undefined) return fetch(url, init);
  try {
    return await fetch(url, { ...init, body });
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    if (cause?.code !== 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') throw error;
    return fetch(url, { ...init, body: new Blob([body]).stream(), duplex: 'half' });
  }
}

export function inferPath(model: string, version?: string): string {
  return version === undefined ? `/v2/models/${model}/infer` : `/v2/models/${model}/versions/${version}/infer`;
}

/** A row of `row-sum`: its sum is 4 × value. */
export function fourOf(value: number): JsonTensor[] {
  return [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [value, value, value, value] }];
}

/** A column of INT64, one a row. */
export function int64s(name: string, ...data: readonly number[]): JsonTensor[] {
  return [{ name, shape: [data.length], datatype: 'INT64', data }];
}

/** Text, one a row. */
export function texts(name: string, ...data: readonly string[]): JsonTensor[] {
  return [{ name, shape: [data.length], datatype: 'BYTES', data }];
}

/** Data of the first output. */
export function firstOutput(answer: Answer): readonly unknown[] | undefined {
  return answer.json<InferJson>().outputs[0]?.data;
}
