import { z } from 'zod';
import { asFailure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Registry } from '../../core/ports/registry.ts';
import type { Principal } from '../../core/tenancy/principal.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { type ApiKeyVerifier, isInForce } from './api-keys.ts';
import { DevCodes, provesChallenge } from './dev-codes.ts';
import type { DevIssuerAnswer, DevIssuerRequest } from './dev-issuer.ts';
import { loginPage, refusalPage } from './dev-login-page.ts';
import { type DevSigning, LIFETIME_S, signAccessToken, signIdToken } from './dev-tokens.ts';

/** The one client: the console, a public client that proves itself by PKCE. */
export const CONSOLE_CLIENT = 'sluice-console';

const MOST_FAILED_A_MINUTE = 30;

const requestSchema = z.object({
  client_id: z.literal(CONSOLE_CLIENT),
  redirect_uri: z.string().max(500),
});
const askedSchema = z.object({
  response_type: z.literal('code'),
  scope: z
    .string()
    .max(200)
    .regex(/(^| )openid( |$)/, 'openid'),
  state: z.string().max(500).optional(),
  nonce: z.string().max(200).optional(),
  code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'of S256'),
  code_challenge_method: z.literal('S256'),
  prompt: z.enum(['none', 'login']).optional(),
});
type Asked = z.infer<typeof askedSchema> & { readonly redirect_uri: string };

export type DevSignInOptions = {
  readonly registry: Pick<Registry, 'readKey'>;
  readonly clock: Clock;
  readonly signing: DevSigning;
  readonly verifyApiKey: ApiKeyVerifier;
  /** Path of the issuer, and the origin that its form may be sent from. */
  readonly path: string;
  readonly origin: string;
  /** Where codes may be sent: addresses of this host's consoles, as they are now. */
  readonly redirectUris: () => readonly string[];
};

/** Sign-in by a page: an API key is pasted into a form, and the console gets a code for it (OpenID Connect, code flow with PKCE). */
export class DevSignIn {
  readonly #options: DevSignInOptions;
  readonly #codes = new DevCodes();
  #failedAtMs: number[] = [];

  constructor(options: DevSignInOptions) {
    this.#options = options;
  }

  /** GET: at once where the browser is known, by the form otherwise. */
  async authorize(request: DevIssuerRequest): Promise<DevIssuerAnswer> {
    const fields = Object.fromEntries(new URLSearchParams(request.query));
    const asked = this.#read(fields);
    if ('status' in asked) return asked;
    const nowMs = this.#options.clock.nowMs();
    const key = asked.prompt === 'login' ? undefined : await this.#known(request, nowMs);
    if (key !== undefined) return this.#sendCode(asked, key, nowMs);
    if (asked.prompt === 'none') return backWith(asked, { error: 'login_required' });
    return this.#form(asked, fields, undefined);
  }

  /** POST of the form. */
  async signIn(request: DevIssuerRequest): Promise<DevIssuerAnswer> {
    const { api_key: text = '', ...fields } = Object.fromEntries(new URLSearchParams(request.body));
    const asked = this.#read(fields);
    if ('status' in asked) return asked;
    // A form of another site would sign this browser in with a key that is not its user's.
    if (request.origin !== undefined && request.origin !== this.#options.origin) {
      return this.#refuse(403, 'This form was sent by another site.');
    }
    const nowMs = this.#options.clock.nowMs();
    if (this.#isExhausted(nowMs)) return this.#tooMany();
    try {
      const key = await this.#options.verifyApiKey(text.trim(), nowMs);
      const session = this.#codes.openSession(key, nowMs);
      const answer = this.#sendCode(asked, key, nowMs);
      return { ...answer, headers: { ...answer.headers, 'Set-Cookie': this.#cookie(session) } };
    } catch (error) {
      const { code, message } = asFailure(error);
      if (code === 'internal') throw error;
      this.#failedAtMs.push(nowMs);
      return this.#form(asked, fields, message);
    }
  }

  /** The exchange of a code, for a client that holds the verifier. */
  async exchange(form: Readonly<Record<string, string>>): Promise<DevIssuerAnswer> {
    const { clock, registry, signing } = this.#options;
    const nowMs = clock.nowMs();
    const code = this.#codes.takeCode(form.code ?? '', nowMs);
    const proven =
      code !== undefined &&
      form.client_id === code.clientId &&
      form.redirect_uri === code.redirectUri &&
      provesChallenge(form.code_verifier ?? '', code.challenge);
    if (!proven || !isInForce(await registry.readKey(keyIdOf(code.key)), nowMs)) {
      return {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'the code is spent, expired or not yours' },
      };
    }
    const { key, clientId, nonce } = code;
    const grant = { key, role: key.role, tenant: key.tenant, user: undefined };
    return {
      status: 200,
      body: {
        access_token: await signAccessToken(signing, grant, nowMs),
        id_token: await signIdToken(signing, { key, clientId, nonce }, nowMs),
        token_type: 'Bearer',
        expires_in: LIFETIME_S,
        scope: 'openid',
      },
    };
  }

  /** Forgets the browser, and sends it back where it is known to belong. */
  signOut(request: DevIssuerRequest): DevIssuerAnswer {
    this.#codes.closeSession(this.#sessionOf(request), this.#options.clock.nowMs());
    const asked = new URLSearchParams(request.query).get('post_logout_redirect_uri') ?? '';
    const forgotten = { 'Set-Cookie': this.#cookie('', 0) };
    const homes = this.#options.redirectUris().map((uri) => new URL('.', uri).href);
    if (homes.includes(asked)) return { status: 303, body: '', headers: { ...forgotten, Location: asked } };
    return {
      status: 200,
      body: refusalPage(this.#stylesheet, 'You are signed out.'),
      headers: { ...forgotten, ...pageHeaders() },
    };
  }

  #read(fields: Readonly<Record<string, string>>): Asked | DevIssuerAnswer {
    const client = requestSchema.safeParse(fields);
    if (!client.success || !this.#options.redirectUris().includes(client.data.redirect_uri)) {
      return this.#refuse(400, 'The page that asked for it is not a console of this host.');
    }
    const asked = askedSchema.safeParse(fields);
    const { redirect_uri } = client.data;
    if (asked.success) return { ...asked.data, redirect_uri };
    const field = asked.error.issues[0]?.path.join('.') ?? '';
    const state = (fields.state ?? '').slice(0, 500);
    return backWith(
      { redirect_uri, state },
      { error: 'invalid_request', error_description: `${field} is missing or not valid` },
    );
  }

  /** The key that this browser signed in with, if it is in force still. */
  async #known(request: DevIssuerRequest, nowMs: number): Promise<Principal | undefined> {
    const key = this.#codes.readSession(this.#sessionOf(request), nowMs);
    if (key === undefined) return undefined;
    return isInForce(await this.#options.registry.readKey(keyIdOf(key)), nowMs) ? key : undefined;
  }

  #sendCode(asked: Asked, key: Principal, nowMs: number): DevIssuerAnswer {
    const { redirect_uri: redirectUri, code_challenge: challenge, nonce } = asked;
    const code = this.#codes.issueCode({ key, clientId: CONSOLE_CLIENT, redirectUri, challenge, nonce }, nowMs);
    return backWith(asked, { code });
  }

  #form(asked: Asked, fields: Readonly<Record<string, string>>, problem: string | undefined): DevIssuerAnswer {
    const { path, signing } = this.#options;
    const body = loginPage({
      region: signing.region,
      action: `${path}/authorize`,
      stylesheet: this.#stylesheet,
      fields,
      problem,
    });
    // Chromium holds the redirect after a form against form-action, too.
    const headers = pageHeaders(`'self' ${new URL(asked.redirect_uri).origin}`);
    return { status: problem === undefined ? 200 : 401, body, headers };
  }

  #refuse(status: number, why: string): DevIssuerAnswer {
    return { status, body: refusalPage(this.#stylesheet, why), headers: pageHeaders() };
  }

  #tooMany(): DevIssuerAnswer {
    const answer = this.#refuse(429, 'Too many keys were tried. Wait a minute.');
    return { ...answer, headers: { ...answer.headers, 'Retry-After': String(MINUTE_MS / SECOND_MS) } };
  }

  #isExhausted(nowMs: number): boolean {
    this.#failedAtMs = this.#failedAtMs.filter((atMs) => atMs > nowMs - MINUTE_MS);
    return this.#failedAtMs.length >= MOST_FAILED_A_MINUTE;
  }

  /** Ports of one host share their cookies: the name keeps regions apart. */
  get #cookieName(): string {
    return `sluice_dev_${this.#options.signing.region}`;
  }

  get #stylesheet(): string {
    return `${this.#options.path}/sign-in.css`;
  }

  #cookie(session: string, maxAgeS?: number): string {
    const ends = maxAgeS === undefined ? '' : `; Max-Age=${maxAgeS}`;
    const secure = this.#options.origin.startsWith('https:') ? '; Secure' : '';
    return `${this.#cookieName}=${session}; Path=${this.#options.path}; HttpOnly; SameSite=Lax${secure}${ends}`;
  }

  #sessionOf({ cookie = '' }: DevIssuerRequest): string | undefined {
    const start = `${this.#cookieName}=`;
    return cookie
      .split(/; */)
      .find((pair) => pair.startsWith(start))
      ?.slice(start.length);
  }
}

function backWith(
  asked: { readonly redirect_uri: string; readonly state?: string | undefined },
  parameters: Readonly<Record<string, string>>,
): DevIssuerAnswer {
  const address = new URL(asked.redirect_uri);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  if (asked.state) address.searchParams.set('state', asked.state);
  return { status: 303, body: '', headers: { Location: address.href } };
}

function pageHeaders(formAction = "'none'"): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'self'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    // The origin must come with the form, which `no-referrer` would take away.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

function keyIdOf(key: Principal): string {
  return key.id.replace(/^key:/, '');
}
