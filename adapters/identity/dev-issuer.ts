import { createLocalJWKSet } from 'jose';
import { z } from 'zod';
import { asFailure, Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Registry } from '../../core/ports/registry.ts';
import { type Principal, roleReaches, roleSchema } from '../../core/tenancy/principal.ts';
import { tenantIdSchema } from '../../core/tenancy/tenant.ts';
import { type ApiKeyVerifier, createApiKeyVerifier } from './api-keys.ts';
import { LOGIN_CSS } from './dev-login-page.ts';
import { DevSignIn } from './dev-sign-in.ts';
import { type DevSigning, LIFETIME_S, signAccessToken } from './dev-tokens.ts';
import { actorOf, checkKeyOf } from './issued-by.ts';
import type { LocalIssuer } from './jwt.ts';
import type { SigningKey } from './signing-key.ts';

/** Where the embedded host serves it. Not in the route table: AWS has no such endpoints. */
export const DEV_ISSUER_PATH = '/dev/oidc';

export type DevIssuerRequest = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
  /** A form, as OAuth 2.0 sends it. */
  readonly body: string;
};
/** A text body is sent as it is, with its type in `headers`; any other as JSON. */
export type DevIssuerAnswer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type DevIssuer = {
  /** What `createIdentity` must be given to trust its tokens. */
  readonly trusted: LocalIssuer;
  /** Answers everything under `DEV_ISSUER_PATH`; undefined for any other path. */
  answer(request: DevIssuerRequest): Promise<DevIssuerAnswer | undefined>;
};

type Options = {
  readonly registry: Pick<Registry, 'readKey'>;
  readonly clock: Clock;
  readonly region: string;
  /** Base URL of the region: the issuer is `<baseUrl>/dev/oidc`. */
  readonly baseUrl: string;
  readonly signingKey: SigningKey;
  /** Where a sign-in may send its code; nowhere if left out. Asked each time, as consoles come up. */
  readonly redirectUris?: () => readonly string[];
};

/**
 * An OIDC issuer for development. Browsers sign in by a page that takes an API key, with the code flow and PKCE; others buy
 * tokens with `client_credentials` and an API key as the client secret. A token is never stronger than the key that bought
 * it, ends with the key, and lives an hour.
 */
export function createDevIssuer(options: Options): DevIssuer {
  const { registry, clock, region, signingKey, baseUrl, redirectUris = () => [] } = options;
  const issuer = `${baseUrl}${DEV_ISSUER_PATH}`;
  const keySet = { keys: [signingKey.publicJwk] };
  const signing: DevSigning = { issuer, region, signingKey };
  const verifyApiKey = createApiKeyVerifier(registry, region);
  const origin = new URL(baseUrl).origin;
  const signIn = new DevSignIn({ registry, clock, signing, verifyApiKey, path: DEV_ISSUER_PATH, origin, redirectUris });
  const answers: Readonly<Record<string, (request: DevIssuerRequest) => Promise<DevIssuerAnswer>>> = {
    'GET /.well-known/openid-configuration': async () => readable({ status: 200, body: discovery(issuer) }),
    'GET /jwks': async () => readable({ status: 200, body: keySet }),
    'GET /authorize': (request) => signIn.authorize(request),
    'POST /authorize': (request) => signIn.signIn(request),
    'GET /sign-in.css': async () => ({ status: 200, body: LOGIN_CSS, headers: { 'Content-Type': 'text/css' } }),
    'GET /logout': async (request) => signIn.signOut(request),
    'POST /token': async (request) => {
      const form = Object.fromEntries(new URLSearchParams(request.body));
      // Readable by any page: without the code and its verifier, or the key itself, there is nothing to read.
      if (form.grant_type === 'authorization_code') return readable(await signIn.exchange(form));
      return answerToken({ signing, clock, verifyApiKey }, form, request.authorization);
    },
  };
  return {
    trusted: {
      record: { issuer, audience: region, jwksUri: `${issuer}/jwks`, tenants: ['*'], maxRole: 'admin' },
      keys: createLocalJWKSet(keySet),
      check: (payload, nowMs) => checkKeyOf(registry, payload, nowMs),
      actor: actorOf,
    },
    async answer(request) {
      if (!request.path.startsWith(`${DEV_ISSUER_PATH}/`)) return undefined;
      return answers[`${request.method} ${request.path.slice(DEV_ISSUER_PATH.length)}`]?.(request);
    },
  };
}

function readable(answer: DevIssuerAnswer): DevIssuerAnswer {
  return { ...answer, headers: { ...answer.headers, 'Access-Control-Allow-Origin': '*' } };
}

function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    end_session_endpoint: `${issuer}/logout`,
    grant_types_supported: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
    response_types_supported: ['code'],
    scopes_supported: ['openid'],
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: ['none', 'login'],
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

type Selling = { readonly signing: DevSigning; readonly clock: Clock; readonly verifyApiKey: ApiKeyVerifier };

async function answerToken(
  { signing, clock, verifyApiKey }: Selling,
  fields: Readonly<Record<string, string>>,
  authorization: string | undefined,
): Promise<DevIssuerAnswer> {
  const parsed = formSchema.safeParse(fields);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') || 'form';
    return refused(400, 'invalid_request', `${field} is missing, unknown or not valid`);
  }
  const form = parsed.data;
  const secret = form.client_secret ?? readBasicSecret(authorization);
  if (secret === undefined) return refused(401, 'invalid_client', 'send an API key as the client secret');
  const nowMs = clock.nowMs();
  try {
    const key = await verifyApiKey(secret, nowMs);
    const grant = { key, role: form.role, tenant: tenantOf(key, form), user: userOf(form) };
    const token = await signAccessToken(signing, grant, nowMs);
    return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: LIFETIME_S } };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'internal') throw error;
    return refused(failure.code === 'forbidden' ? 403 : 401, 'invalid_client', failure.message);
  }
}

/** An operator is who holds the key: a second name would let one person pass a gate that takes two. */
function userOf({ role, user }: Form): string | undefined {
  if (user !== undefined && (role === 'operator' || role === 'admin')) {
    throw new Failure('forbidden', { detail: 'an operator acts under the name of the key: leave user out' });
  }
  return user;
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
