import { errorOf, networkError, SluiceError, unreadable } from './sluice-error.ts';

export type ClientOptions = {
  /** Of the tenant's home region, such as `https://eu.sluice.example`. */
  readonly baseUrl: string;
  /** An API key or token; or a function that gets one, asked again once it has expired. Keys do not belong into browsers. */
  readonly token: string | (() => string | Promise<string>);
  /** The tenant that an operator acts for; others have their own. */
  readonly tenant?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Times that one call is sent at the most. Default 4. */
  readonly attempts?: number | undefined;
};

export type HttpRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON, or as it is if it is bytes. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** True if it does no harm when the server has handled it already. */
  readonly repeatable: boolean;
  /** An error status that answers, with a body of its own: 503 of what is not ready. */
  readonly answerStatus?: number | undefined;
};

export type HttpAnswer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

const FIRST_DELAY_MS = 200;
/** Longest pause; a failure that passes later than this is told instead. */
const LONGEST_DELAY_MS = 30_000;
/** What these say is that the request was not begun. */
const NOT_BEGUN = new Set([429, 503]);
/** Asked of a region that may not be the tenant's: has no body, and is refused elsewhere as everything of the tenant is. */
const WHOSE = '/v2/models?limit=1';
const WRONG_REGION = 421;

/**
 * Sends requests, again after failures that pass: pauses grow from 0.2 s to 30 s, drawn evenly from zero to their length (full
 * jitter), and are never shorter than Retry-After.
 */
export class Transport {
  readonly #options: ClientOptions;
  readonly #fetch: typeof globalThis.fetch;
  #token: Promise<string> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    // Browsers want to see their window as `this`.
    this.#fetch = options.fetch ?? ((...call) => globalThis.fetch(...call));
  }

  /** Throws `SluiceError`, or the reason of the signal. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const attempts = this.#options.attempts ?? 4;
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#once(request);
      if (!(answer instanceof SluiceError)) return answer;
      if (answer.code === 'credentials-expired' && typeof this.#options.token === 'function' && !renewed) {
        renewed = true;
        this.#token = undefined;
        continue;
      }
      const delayMs = delayOf(answer, attempt);
      if (attempt >= attempts || !mayRepeat(request, answer) || delayMs > LONGEST_DELAY_MS) throw answer;
      await sleep(delayMs, request.signal);
    }
  }

  async #once({ method, path, headers, body, signal, answerStatus }: HttpRequest): Promise<HttpAnswer | SluiceError> {
    const init = {
      method,
      headers: { ...this.#headers(await this.#authorization(), body), ...headers },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    } as RequestInit;
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(this.#url(path), init);
      text = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      return (failedToResend(cause) ? await this.#refusal(signal) : undefined) ?? networkError(cause);
    }
    const { status } = response;
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
    if (!response.ok && (isProblem || status !== answerStatus)) return errorOf(status, response.headers, text);
    try {
      return { status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    } catch (cause) {
      return unreadable(status, undefined, cause);
    }
  }

  /** That the tenant lives in another region, which says where; undefined if it does not say so. */
  async #refusal(signal: AbortSignal | undefined): Promise<SluiceError | undefined> {
    const headers = this.#headers(await this.#authorization(), undefined);
    try {
      const response = await this.#fetch(this.#url(WHOSE), { headers, ...(signal !== undefined && { signal }) });
      const text = await response.text();
      return response.status === WRONG_REGION ? errorOf(response.status, response.headers, text) : undefined;
    } catch {
      if (signal?.aborted) throw signal.reason;
      return undefined;
    }
  }

  #url(path: string): string {
    return `${this.#options.baseUrl.replace(/\/$/, '')}${path}`;
  }

  #headers(authorization: string, body: unknown): Record<string, string> {
    return {
      authorization,
      ...(body === undefined || body instanceof Uint8Array ? {} : { 'content-type': 'application/json' }),
      ...(this.#options.tenant === undefined ? {} : { 'sluice-tenant': this.#options.tenant }),
    };
  }

  async #authorization(): Promise<string> {
    const { token } = this.#options;
    if (typeof token === 'string') return `Bearer ${token}`;
    this.#token ??= (async () => token())();
    const got = this.#token;
    try {
      return `Bearer ${await got}`;
    } catch (error) {
      // The next call asks again.
      if (this.#token === got) this.#token = undefined;
      throw error;
    }
  }
}

/**
 * Node's fetch sends a request again that is answered with 421, as the standard says (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch).
 * Where that answer is still coming it takes the body for sent in part, and fails with this error, which nothing else causes here.
 */
function failedToResend(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return cause?.code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH';
}

function mayRepeat({ repeatable }: HttpRequest, { retryable, status, code }: SluiceError): boolean {
  // Somebody else's change is in the way: the same request says the same again.
  if (!retryable || code === 'state-conflict') return false;
  return repeatable || (status !== undefined && NOT_BEGUN.has(status));
}

function delayOf({ retryAfterS = 0 }: SluiceError, attempt: number): number {
  return retryAfterS * 1000 + Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
}

/** Rejects with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const done = () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
