import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../core/tenancy/principal.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';

const CODE_LIFETIME_MS = MINUTE_MS;
/** A working day: until then a page that is loaded anew is signed in without a question. */
const SESSION_LIFETIME_MS = 8 * HOUR_MS;
const MOST_KEPT = 1000;

export type Code = {
  readonly key: Principal;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Of PKCE: the SHA-256 of the verifier, in base64url. */
  readonly challenge: string;
  readonly nonce: string | undefined;
};

/** Codes, each good for one exchange within a minute, and sessions of browsers. In memory: a restart forgets both. */
export class DevCodes {
  readonly #codes = new Expiring<Code>(CODE_LIFETIME_MS);
  readonly #sessions = new Expiring<Principal>(SESSION_LIFETIME_MS);

  issueCode(code: Code, nowMs: number): string {
    return this.#codes.add(code, nowMs);
  }

  /** Whatever comes of the exchange, the code is spent. */
  takeCode(text: string, nowMs: number): Code | undefined {
    return this.#codes.take(text, nowMs);
  }

  openSession(key: Principal, nowMs: number): string {
    return this.#sessions.add(key, nowMs);
  }

  readSession(text: string | undefined, nowMs: number): Principal | undefined {
    return text === undefined ? undefined : this.#sessions.read(text, nowMs);
  }

  closeSession(text: string | undefined, nowMs: number): void {
    if (text !== undefined) this.#sessions.take(text, nowMs);
  }
}

/** True if `verifier` is what the challenge, 43 characters, was made of (RFC 7636, S256). */
export function provesChallenge(verifier: string, challenge: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(verifier)), Buffer.from(challenge));
}

/** Secrets are looked up by their digest, so that no comparison tells how much of a guess was right. */
class Expiring<Value> {
  readonly #lifetimeMs: number;
  readonly #kept = new Map<string, { readonly value: Value; readonly endsAtMs: number }>();

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  add(value: Value, nowMs: number): string {
    for (const [digest, { endsAtMs }] of this.#kept) if (endsAtMs <= nowMs) this.#kept.delete(digest);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    const text = randomBytes(32).toString('base64url');
    this.#kept.set(digestOf(text), { value, endsAtMs: nowMs + this.#lifetimeMs });
    return text;
  }

  read(text: string, nowMs: number): Value | undefined {
    const found = this.#kept.get(digestOf(text));
    return found !== undefined && found.endsAtMs > nowMs ? found.value : undefined;
  }

  take(text: string, nowMs: number): Value | undefined {
    const value = this.read(text, nowMs);
    this.#kept.delete(digestOf(text));
    return value;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
