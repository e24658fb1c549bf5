import { useCallback, useEffect, useRef, useState } from 'react';
import { useRegions } from '../api/context.ts';
import { type Polled, Poller } from './poller.ts';

/** See `Polled`. `refresh` asks now and ends when the answer is there. */
export type Resource<T> = Polled<T> & { readonly refresh: () => Promise<void> };

/** The last values, shown at once where a page is come back to. */
const remembered = new Map<string, Polled<unknown>>();
const MOST_REMEMBERED = 100;

function remember(key: string, polled: Polled<unknown>): void {
  remembered.delete(key);
  if (polled.kind !== 'ready') return;
  remembered.set(key, polled);
  const [oldest] = remembered.keys();
  if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
}

/**
 * What `load` answers, kept up to date: again `everyMs` after each answer, with backoff after failures and not while the page
 * is hidden. `key` names what is loaded, within the region; another key begins anew and aborts what is under way. A value
 * stays while newer ones fail, with `staleBecause`.
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  options: { readonly everyMs?: number; readonly region?: string } = {},
): Resource<T> {
  const { region } = useRegions();
  const fullKey = `${options.region ?? region.id} ${key}`;
  const initial = (): Polled<T> => (remembered.get(fullKey) as Polled<T> | undefined) ?? { kind: 'loading' };
  const [held, setHeld] = useState(() => ({ key: fullKey, polled: initial() }));
  const poller = useRef<Poller<T> | undefined>(undefined);
  const latestLoad = useRef(load);
  latestLoad.current = load;
  const { everyMs } = options;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names what is loaded; `load` is another function at every rendering.
  useEffect(() => {
    const begun = new Poller<T>({
      load: (signal) => latestLoad.current(signal),
      everyMs,
      initial: initial(),
      onChange: (polled) => {
        remember(fullKey, polled);
        setHeld({ key: fullKey, polled });
      },
    });
    poller.current = begun;
    const watch = () => begun.setHidden(document.hidden);
    document.addEventListener('visibilitychange', watch);
    begun.start(document.hidden);
    return () => {
      document.removeEventListener('visibilitychange', watch);
      begun.stop();
    };
  }, [fullKey, everyMs]);

  const refresh = useCallback(async () => poller.current?.refresh(), []);
  return { ...(held.key === fullKey ? held.polled : initial()), refresh };
}
