import { createLocalJWKSet, SignJWT } from 'jose';
import { z } from 'zod';
import { asFailure, Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Registry } from '../../core/ports/registry.ts';
import { type Principal, roleReaches, roleSchema } from '../../core/tenancy/principal.ts';
import { tenantIdSchema } from '../../core/tenancy/tenant.ts';
import { HOUR_MS, SECOND_MS } from '../../core/units.ts';
import { type ApiKeyVerifier, createApiKeyVerifier } from './api-keys.ts';
import type { LocalIssuer } from './jwt.ts';
import type { SigningKey } from './signing-key.ts';

/** Where the embedded host serves it. Not in the route table: AWS has no such endpoints. */
export const DEV_ISSUER_PATH = '/dev/oidc';

const LIFETIME_S = HOUR_MS / SECOND_MS;

export type DevIssuerRequest = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  /** A form, as OAuth 2.0 sends it. */
  readonly body: string;
};
export type DevIssuerAnswer = { readonly status: number; readonly body: unknown };

export type DevIssuer = {
  /** What `createIdentity` must be given to trust its tokens. */
  readonly trusted: LocalIssuer;
  /** Answers discovery, keys and tokens under `DEV_ISSUER_PATH`; undefined for any other path. */
  answer(request: DevIssuerRequest): Promise<DevIssuerAnswer | undefined>;
};

type Options = {
  readonly registry: Pick<Registry, 'readKey'>;
  readonly clock: Clock;
  readonly region: string;
  /** Base URL of the region: the issuer is `<baseUrl>/dev/oidc`. */
  readonly baseUrl: string;
  readonly signingKey: SigningKey;
};

/**
 * An OIDC issuer for development: discovery document, key set, and a token endpoint that takes `client_credentials` with
 * an API key as the client secret. A token is never stronger than the key that bought it, and lives an hour.
 */
export function createDevIssuer(options: Options): DevIssuer {
  const issuer = `${options.baseUrl}${DEV_ISSUER_PATH}`;
  const { publicJwk } = options.signingKey;
  const verifyApiKey = createApiKeyVerifier(options.registry, options.region);
  const answers: Readonly<Record<string, (request: DevIssuerRequest) => Promise<DevIssuerAnswer>>> = {
    'GET /.well-known/openid-configuration': async () => ({ status: 200, body: discovery(issuer) }),
    'GET /jwks': async () => ({ status: 200, body: { keys: [publicJwk] } }),
    'POST /token': (request) => answerToken({ ...options, issuer, verifyApiKey }, request),
  };
  return {
    trusted: {
      record: { issuer, audience: options.region, jwksUri: `${issuer}/jwks`, tenants: ['*'], maxRole: 'admin' },
      keys: createLocalJWKSet({ keys: [publicJwk] }),
    },
    async answer(request) {
      if (!request.path.startsWith(`${DEV_ISSUER_PATH}/`)) return undefined;
      return answers[`${request.method} ${request.path.slice(DEV_ISSUER_PATH.length)}`]?.(request);
    },
  };
}

function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    token_endpoint: `${issuer}/token`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    claims_supported: ['sub', 'sluice_tenant', 'sluice_role', 'sluice_models', 'sluice_user'],
  };
}

const formSchema = z.strictObject({
  grant_type: z.literal('client_credentials'),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  scope: z.string().optional(),
  tenant: tenantIdSchema.optional(),
  user: z.string().min(1).max(200).optional(),
  role: roleSchema.default('tenant-user'),
});
type Form = z.infer<typeof formSchema>;

type Signing = Options & { readonly issuer: string; readonly verifyApiKey: ApiKeyVerifier };

async function answerToken(signing: Signing, request: DevIssuerRequest): Promise<DevIssuerAnswer> {
  const parsed = formSchema.safeParse(Object.fromEntries(new URLSearchParams(request.body)));
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') || 'form';
    return refused(400, 'invalid_request', `${field} is missing, unknown or not valid`);
  }
  const secret = parsed.data.client_secret ?? readBasicSecret(request.authorization);
  if (secret === undefined) return refused(401, 'invalid_client', 'send an API key as the client secret');
  const nowMs = signing.clock.nowMs();
  try {
    const principal = await signing.verifyApiKey(secret, nowMs);
    return { status: 200, body: await sign(signing, principal, parsed.data, nowMs) };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'internal') throw error;
    return refused(failure.code === 'forbidden' ? 403 : 401, 'invalid_client', failure.message);
  }
}

async function sign(signing: Signing, principal: Principal, form: Form, nowMs: number): Promise<unknown> {
  const tenant = tenantOf(principal, form);
  const issuedAtS = Math.floor(nowMs / SECOND_MS);
  const token = await new SignJWT({
    sluice_role: form.role,
    ...(tenant === undefined ? {} : { sluice_tenant: tenant }),
    ...(form.user === undefined ? {} : { sluice_user: form.user }),
    ...(principal.models === undefined ? {} : { sluice_models: [...principal.models] }),
  })
    .setProtectedHeader({ alg: 'ES256', kid: signing.signingKey.kid, typ: 'JWT' })
    .setIssuer(signing.issuer)
    .setAudience(signing.region)
    .setSubject(form.user ?? principal.id)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + LIFETIME_S)
    .sign(signing.signingKey.privateKey);
  return { access_token: token, token_type: 'Bearer', expires_in: LIFETIME_S };
}

/** The tenant that the token names: the key's own, or for an operator's key the one in the form. */
function tenantOf(principal: Principal, form: Form): string | undefined {
  if (!roleReaches(principal.role, form.role)) {
    throw new Failure('forbidden', { detail: `this key may not act as ${form.role}` });
  }
  if (form.role === 'operator' || form.role === 'admin') return undefined;
  const tenant = principal.tenant ?? form.tenant;
  if (tenant === undefined || (form.tenant !== undefined && form.tenant !== tenant)) {
    throw new Failure('forbidden', { detail: 'name the tenant of the token, your own unless you are an operator' });
  }
  return tenant;
}

/** RFC 6749 section 2.3.1. API keys hold no character that its form encoding would change. */
function readBasicSecret(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  return Buffer.from(encoded, 'base64').toString('utf8').split(':', 2)[1];
}

function refused(status: number, error: string, description: string): DevIssuerAnswer {
  return { status, body: { error, error_description: description } };
}
