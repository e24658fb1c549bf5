import { createContext, useContext, useMemo, useSyncExternalStore } from 'react';
import type { Session, Sessions } from '../auth/sessions.ts';
import type { Who } from '../auth/who.ts';
import { createApi, type SluiceClient } from './api.ts';
import type { ConsoleConfig, RegionConfig } from './config.ts';

type Console = {
  readonly config: ConsoleConfig;
  readonly sessions: Sessions;
  /** The region in the address. */
  readonly region: RegionConfig;
};

export const ConsoleContext = createContext<Console | undefined>(undefined);

function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (found === undefined) throw new Error('outside of ConsoleContext');
  return found;
}

/** The region that is looked at, and all there are. */
export function useRegions(): { readonly region: RegionConfig; readonly regions: readonly RegionConfig[] } {
  const { region, config } = useConsole();
  return { region, regions: config.regions };
}

export function useSessions(): { readonly sessions: Sessions; readonly all: Readonly<Record<string, Session>> } {
  const { sessions } = useConsole();
  return { sessions, all: useSyncExternalStore(sessions.subscribe, sessions.all) };
}

/** Who is signed in to the region that is looked at. Pages are shown only where somebody is. */
export function useWho(): Who {
  const { region } = useConsole();
  const session = useSessions().all[region.id];
  if (session?.kind !== 'signed-in') throw new Error('nobody is signed in');
  return session.who;
}

/**
 * The API of the region that is looked at: `api.call('tenant-read', { params: { tenant }, signal })`. Another region may be
 * named; `tenant` is whom an operator acts for.
 */
export function useApi(options: { readonly region?: RegionConfig; readonly tenant?: string } = {}): SluiceClient {
  const { sessions, region: current } = useConsole();
  const { region = current, tenant } = options;
  return useMemo(() => createApi(region, sessions, tenant), [region, sessions, tenant]);
}
