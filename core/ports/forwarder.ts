export type ForwardedRequest = {
  readonly method: string;
  /** Absolute, with the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
};

export type ForwardedAnswer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * Carries one request to another region and its answer back as it comes, for tenants that opted in. Nothing of either is
 * stored or logged. Headers that belong to one connection are left out; redirects are passed on, not followed.
 * Throws `region-unavailable` if the other region does not answer.
 */
export interface Forwarder {
  forward(request: ForwardedRequest, signal?: AbortSignal): Promise<ForwardedAnswer>;
}
