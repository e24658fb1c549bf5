/** What came of one attempt. */
export type SendAnswer =
  | { readonly kind: 'answered'; readonly status: number }
  /** `reason` is a word for people: refused-address, unresolved, unreachable, timed-out. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Posts to addresses that tenants name. https only, to a public address that was resolved here and is the one connected to;
 * redirects are not followed: their status is the answer; at most 10 s; the answer's body is not read.
 */
export interface WebhookSender {
  /** Throws `webhook-url-refused`, saying why, if this address would never be posted to. Looks the name up. */
  check(url: string): Promise<void>;
  /** Never rejects. Aborted by the signal it is `failed`. */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, signal?: AbortSignal): Promise<SendAnswer>;
}
