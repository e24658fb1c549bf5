import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { Failure } from '../../core/failure.ts';
import { FreshCache } from '../../core/fresh-cache.ts';
import type { IssuerRecord, Registry } from '../../core/ports/registry.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import { SECOND_MS } from '../../core/units.ts';
import { toPrincipal } from './claims.ts';

/** An issuer whose keys are at hand: this process signs its tokens itself. */
export type LocalIssuer = {
  readonly record: IssuerRecord;
  readonly keys: JWTVerifyGetKey;
  /** What else must hold of a token that verifies; throws if it does not. */
  readonly check?: (payload: JWTPayload, nowMs: number) => Promise<void>;
  /** Under which id a token acts, where it is not its subject's. */
  readonly actor?: (payload: JWTPayload) => string | undefined;
};

export type JwtVerifier = (token: string, nowMs: number) => Promise<Principal>;

/** Asymmetric only: with HS256 allowed, a public key would do as a secret. */
const ALGORITHMS = ['RS256', 'ES256'];
/** Clocks of issuers and of this host may differ by this much. */
const CLOCK_SKEW_S = 30;
const JWKS_TIMEOUT_MS = 3 * SECOND_MS;
/** A token is some hundred bytes; this bounds what is decoded for a stranger. */
const MAX_TOKEN_CHARACTERS = 8192;

/**
 * The principal of a signed JWT of a trusted issuer. `credentials-invalid` (signature, audience, claims, not yet valid),
 * `credentials-expired`, `issuer-unknown`, and `issuer-unavailable` where its keys cannot be fetched.
 * An issuer that was removed is refused within a second; rotated keys are found when a token names them.
 */
export function createJwtVerifier(
  registry: Pick<Registry, 'listIssuers'>,
  localIssuers: readonly LocalIssuer[],
): JwtVerifier {
  const issuers = new IssuerKeys(registry, localIssuers);
  return async (token, nowMs) => {
    const { record, keys, check, actor } = await issuers.find(readIssuer(token), nowMs);
    const payload = await verify(token, record, keys, nowMs);
    await check?.(payload, nowMs);
    const principal = toPrincipal(payload, record);
    const id = actor?.(payload);
    return id === undefined ? principal : { ...principal, id };
  };
}

/** Read before verification, to know whose keys to verify with. */
function readIssuer(token: string): string {
  if (token.length > MAX_TOKEN_CHARACTERS)
    throw new Failure('credentials-invalid', { detail: 'the token is too long' });
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch {
    // Not passed on: its message may hold parts of the token.
  }
  throw new Failure('credentials-invalid', { detail: 'neither an API key nor a token of an issuer' });
}

async function verify(token: string, record: IssuerRecord, keys: JWTVerifyGetKey, nowMs: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: record.issuer,
      audience: record.audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SKEW_S,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  } catch (error) {
    throw toFailure(error);
  }
}

function toFailure(error: unknown): Failure {
  if (error instanceof errors.JWTExpired) return new Failure('credentials-expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new Failure('credentials-invalid', { claim: error.claim, detail: `claim ${error.claim}: not accepted` });
  }
  if (isOfTheToken(error)) return new Failure('credentials-invalid', { detail: 'the signature does not verify' });
  return new Failure('issuer-unavailable', { retryAfterMs: 5 * SECOND_MS }, { cause: error });
}

/** True for what the bearer of the token did wrong; anything else is about fetching the issuer's keys. */
function isOfTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  );
}

/** Trusted issuers by name, at most a second old; each one's key set is fetched once and kept while it is trusted. */
class IssuerKeys {
  readonly #registry: Pick<Registry, 'listIssuers'>;
  readonly #local: ReadonlyMap<string, LocalIssuer>;
  readonly #fresh = new FreshCache<ReadonlyMap<string, LocalIssuer>>(SECOND_MS, 1);
  #remote = new Map<string, LocalIssuer>();

  constructor(registry: Pick<Registry, 'listIssuers'>, local: readonly LocalIssuer[]) {
    this.#registry = registry;
    this.#local = new Map(local.map((issuer) => [issuer.record.issuer, issuer]));
  }

  async find(issuer: string, nowMs: number): Promise<LocalIssuer> {
    const known = this.#local.get(issuer) ?? (await this.#fresh.get('all', nowMs, () => this.#load())).get(issuer);
    if (known === undefined) throw new Failure('issuer-unknown');
    return known;
  }

  async #load(): Promise<ReadonlyMap<string, LocalIssuer>> {
    const records = await this.#registry.listIssuers();
    this.#remote = new Map(records.map((record) => [record.issuer, { record, keys: this.#keysOf(record) }]));
    return this.#remote;
  }

  #keysOf(record: IssuerRecord): JWTVerifyGetKey {
    const known = this.#remote.get(record.issuer);
    return known?.record.jwksUri === record.jwksUri
      ? known.keys
      : createRemoteJWKSet(new URL(record.jwksUri), { timeoutDuration: JWKS_TIMEOUT_MS });
  }
}
