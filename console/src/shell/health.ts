import { useEffect, useState } from 'react';
import { useRegions } from '../api/context.ts';
import { Poller } from '../data/poller.ts';

export type RegionHealth = 'unknown' | 'ready' | 'not-ready' | 'down';

const EVERY_MS = 15_000;
/** A region that answers later than this is down for whoever waits. */
const PATIENCE_MS = 5_000;

/** Of every region, whether it serves: asked without credentials, so that it is seen before signing in, too. */
export function useHealth(): Readonly<Record<string, RegionHealth>> {
  const { regions } = useRegions();
  const [health, setHealth] = useState<Readonly<Record<string, RegionHealth>>>({});
  useEffect(() => {
    const pollers = regions.map(({ id, url }) => {
      const set = (found: RegionHealth) => setHealth((now) => (now[id] === found ? now : { ...now, [id]: found }));
      const poller = new Poller({
        load: (signal) => askHealth(url, signal),
        everyMs: EVERY_MS,
        onChange: (polled) => set(polled.kind === 'ready' && polled.staleBecause === undefined ? polled.value : 'down'),
      });
      return poller;
    });
    const watch = () => {
      for (const poller of pollers) poller.setHidden(document.hidden);
    };
    for (const poller of pollers) poller.start(document.hidden);
    document.addEventListener('visibilitychange', watch);
    return () => {
      document.removeEventListener('visibilitychange', watch);
      for (const poller of pollers) poller.stop();
    };
  }, [regions]);
  return health;
}

async function askHealth(url: string, signal: AbortSignal): Promise<RegionHealth> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const response = await fetch(`${url}/v2/health/ready`, { signal: patience, cache: 'no-store', credentials: 'omit' });
  return response.ok ? 'ready' : 'not-ready';
}
