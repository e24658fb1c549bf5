import { InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import type { ConsoleConfig, RegionConfig } from '../api/config.ts';
import type { Who } from './who.ts';

export type Session =
  | { readonly kind: 'restoring' }
  /** `why`: what the issuer or the API said, where it was not the viewer who signed out. */
  | { readonly kind: 'signed-out'; readonly why?: string | undefined }
  | { readonly kind: 'signed-in'; readonly token: string; readonly who: Who };

/** Asks a region's API who a token is. */
export type Identify = (region: RegionConfig, token: string) => Promise<Who>;

const CALLBACK = `${import.meta.env.BASE_URL}callback`;
/** Survives the redirect to an issuer: which region it is for and where to go on. Never a token. */
const PENDING_KEY = 'sluice.sign-in';
/** Regions that this tab was signed in to: their issuers are asked again, silently, when the page is loaded anew. */
const KNOWN_KEY = 'sluice.signed-in';

type Pending = { readonly region: string; readonly returnTo: string; readonly silent: boolean };

/**
 * Signs in to regions by code flow with PKCE. Tokens stay in memory: a page that is loaded anew asks the issuers again, which
 * answer without a question while they know the browser. Regions with one issuer share a session.
 */
export class Sessions {
  readonly #config: ConsoleConfig;
  readonly #identify: Identify;
  readonly #managers = new Map<string, UserManager>();
  readonly #listeners = new Set<() => void>();
  #sessions: Readonly<Record<string, Session>>;

  constructor(config: ConsoleConfig, identify: Identify) {
    this.#config = config;
    this.#identify = identify;
    this.#sessions = Object.fromEntries(config.regions.map(({ id }) => [id, { kind: 'restoring' }]));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The same object until a session changes. */
  readonly all = (): Readonly<Record<string, Session>> => this.#sessions;

  /**
   * Finishes a sign-in that this page is the return of, then restores what else is known. Returns the place to go on at.
   * `current` is the region that is looked at: it is restored by a redirect, which works with every issuer.
   */
  async start(current: string, here: string): Promise<string> {
    const pending = takePending();
    const returned = location.pathname === CALLBACK && pending !== undefined;
    if (returned) await this.#finish(pending);
    const from = returned ? pending.region : current;
    const known = readKnown();
    if (!returned && known.includes(current)) {
      await this.#redirect(current, here, true);
      return here;
    }
    for (const { id } of this.#config.regions) {
      if (this.#sessions[id]?.kind !== 'restoring') continue;
      if (id !== from && known.includes(id)) void this.#restoreSilently(id);
      else this.#set(id, { kind: 'signed-out' });
    }
    return returned ? pending.returnTo : here;
  }

  /** Leaves the page for the issuer of a region, to come back to `returnTo`. */
  async signIn(region: string, returnTo: string): Promise<void> {
    try {
      await this.#redirect(region, returnTo, false);
    } catch (error) {
      this.#set(region, { kind: 'signed-out', why: `The issuer of ${region} cannot be reached: ${messageOf(error)}` });
    }
  }

  async signOut(): Promise<void> {
    sessionStorage.removeItem(KNOWN_KEY);
    const current = this.#config.regions.find(({ id }) => this.#sessions[id]?.kind === 'signed-in');
    for (const { id } of this.#config.regions) this.#set(id, { kind: 'signed-out' });
    if (current === undefined) return;
    const manager = this.#manager(current);
    if ((await manager.metadataService.getEndSessionEndpoint()) !== undefined)
      await manager.signoutRedirect({ extraQueryParams: cognitoLogout(current) });
    else await manager.removeUser();
  }

  /** The API refused the token of a region: it has ended, or was revoked. */
  expire(region: string, why: string): void {
    if (this.#sessions[region]?.kind === 'signed-in') this.#set(region, { kind: 'signed-out', why });
  }

  /** Throws where nobody is signed in. */
  token(region: string): string {
    const session = this.#sessions[region];
    if (session?.kind !== 'signed-in') throw new Error(`not signed in to ${region}`);
    return session.token;
  }

  async #finish(pending: Pending): Promise<void> {
    const region = this.#region(pending.region);
    try {
      const user = await this.#manager(region).signinCallback();
      if (user === undefined) throw new Error('the issuer sent no token');
      await this.#accept(region, user);
    } catch (error) {
      forget(region.id);
      this.#set(region.id, { kind: 'signed-out', why: pending.silent ? undefined : messageOf(error) });
    }
  }

  async #redirect(regionId: string, returnTo: string, silent: boolean): Promise<void> {
    const region = this.#region(regionId);
    sessionStorage.setItem(PENDING_KEY, JSON.stringify({ region: regionId, returnTo, silent } satisfies Pending));
    try {
      await this.#manager(region).signinRedirect(silent ? { prompt: 'none' } : {});
    } catch (error) {
      sessionStorage.removeItem(PENDING_KEY);
      if (!silent) throw error;
      forget(regionId);
      this.#set(regionId, {
        kind: 'signed-out',
        why: `The issuer of ${regionId} cannot be reached: ${messageOf(error)}`,
      });
    }
  }

  async #restoreSilently(regionId: string): Promise<void> {
    const region = this.#region(regionId);
    try {
      const user = await this.#manager(region).signinSilent();
      if (user === null) throw new Error('no session');
      await this.#accept(region, user);
    } catch {
      forget(regionId);
      this.#set(regionId, { kind: 'signed-out' });
    }
  }

  /** A token counts for every region that has the same issuer. */
  async #accept(region: RegionConfig, user: User): Promise<void> {
    const same = this.#config.regions.filter((each) => managerKey(each) === managerKey(region));
    for (const each of same) {
      const token = (each.token === 'id' ? user.id_token : user.access_token) ?? '';
      try {
        this.#set(each.id, { kind: 'signed-in', token, who: await this.#identify(each, token) });
        remember(each.id);
      } catch (error) {
        forget(each.id);
        this.#set(each.id, { kind: 'signed-out', why: messageOf(error) });
      }
    }
  }

  #manager(region: RegionConfig): UserManager {
    const key = managerKey(region);
    const found = this.#managers.get(key);
    if (found !== undefined) return found;
    const manager = new UserManager({
      authority: region.issuer,
      client_id: region.client_id,
      scope: region.scope,
      redirect_uri: `${location.origin}${CALLBACK}`,
      silent_redirect_uri: `${location.origin}${import.meta.env.BASE_URL}silent.html`,
      post_logout_redirect_uri: `${location.origin}${import.meta.env.BASE_URL}`,
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      automaticSilentRenew: true,
      silentRequestTimeoutInSeconds: 5,
    });
    manager.events.addUserLoaded((user) => {
      if (this.#sessions[region.id]?.kind === 'signed-in') void this.#accept(region, user);
    });
    manager.events.addAccessTokenExpired(() => this.expire(region.id, 'The sign-in has ended.'));
    this.#managers.set(key, manager);
    return manager;
  }

  #region(id: string): RegionConfig {
    const region = this.#config.regions.find((each) => each.id === id);
    if (region === undefined) throw new Error(`no region ${id}`);
    return region;
  }

  #set(region: string, session: Session): void {
    this.#sessions = { ...this.#sessions, [region]: session };
    for (const listener of this.#listeners) listener();
  }
}

/** Amazon Cognito's own names for what OpenID Connect calls otherwise; others ignore them. */
function cognitoLogout({ client_id }: RegionConfig): Record<string, string> {
  return { client_id, logout_uri: `${location.origin}${import.meta.env.BASE_URL}` };
}

function managerKey({ issuer, client_id, scope }: RegionConfig): string {
  return JSON.stringify([issuer, client_id, scope]);
}

function takePending(): Pending | undefined {
  const text = sessionStorage.getItem(PENDING_KEY);
  sessionStorage.removeItem(PENDING_KEY);
  return text === null ? undefined : (JSON.parse(text) as Pending);
}

function readKnown(): readonly string[] {
  return (sessionStorage.getItem(KNOWN_KEY) ?? '').split(' ').filter(Boolean);
}

function remember(region: string): void {
  sessionStorage.setItem(KNOWN_KEY, [...new Set([...readKnown(), region])].join(' '));
}

function forget(region: string): void {
  sessionStorage.setItem(
    KNOWN_KEY,
    readKnown()
      .filter((each) => each !== region)
      .join(' '),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
