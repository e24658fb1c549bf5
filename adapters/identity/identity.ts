import { hash } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { FreshCache } from '../../core/fresh-cache.ts';
import type { Identity } from '../../core/ports/identity.ts';
import type { Registry } from '../../core/ports/registry.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import { SECOND_MS } from '../../core/units.ts';
import { createApiKeyVerifier } from './api-keys.ts';
import { browserTokenIssuer, createBrowserTokenSigner } from './browser-tokens.ts';
import { createJwtVerifier, type LocalIssuer } from './jwt.ts';
import type { SigningKey, SigningKeySource } from './signing-key.ts';

/** An entry is a digest and a principal, about 500 bytes: 5 MiB when full. */
const MAX_CACHED_CREDENTIALS = 10_000;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/**
 * Verifies API keys and JWTs of one region. Verified credentials are remembered for a second under their SHA-256, so that
 * memory holds no secret and a token's signature is not checked on every request; refusals are never remembered.
 * `localIssuers` are trusted beside those of the registry.
 */
export function createIdentity(options: {
  readonly registry: Pick<Registry, 'readKey' | 'listIssuers'>;
  readonly region: string;
  readonly signingKey: SigningKey | SigningKeySource;
  readonly localIssuers?: readonly LocalIssuer[];
}): Identity {
  const { registry, region, signingKey: key, localIssuers = [] } = options;
  const signingKey = typeof key === 'function' ? key : async () => key;
  const verifyApiKey = createApiKeyVerifier(registry, region);
  const verifyJwt = createJwtVerifier(registry, [browserTokenIssuer(signingKey, region, registry), ...localIssuers]);
  const verified = new FreshCache<Principal>(SECOND_MS, MAX_CACHED_CREDENTIALS);
  return {
    async authenticate(authorization, nowMs) {
      const credential = readBearer(authorization);
      return verified.get(hash('sha256', credential, 'base64'), nowMs, () =>
        credential.startsWith('slk_') ? verifyApiKey(credential, nowMs) : verifyJwt(credential, nowMs),
      );
    },
    issueBrowserToken: createBrowserTokenSigner(signingKey, region),
  };
}

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === '') throw new Failure('credentials-missing');
  const credential = BEARER.exec(authorization)?.[1];
  if (credential === undefined)
    throw new Failure('credentials-invalid', { detail: 'not of the form Bearer <credential>' });
  return credential;
}
