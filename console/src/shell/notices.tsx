import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

type Notice = { readonly type: 'success' | 'info' | 'warning' | 'error'; readonly text: ReactNode };
type Notify = (notice: Notice) => void;

const NotifyContext = createContext<Notify>(() => undefined);

/** Tells the viewer what came of something, above the page, until it is closed; `info` and `success` go by themselves. */
export function useNotify(): Notify {
  return useContext(NotifyContext);
}

const SHOWN_MS = 8_000;
let ids = 0;

export function Notices({ children }: { readonly children: ReactNode }) {
  const [items, setItems] = useState<readonly (Notice & { readonly id: string })[]>([]);
  const drop = useCallback((id: string) => setItems((now) => now.filter((item) => item.id !== id)), []);
  const notify = useCallback<Notify>(
    (notice) => {
      ids += 1;
      const id = String(ids);
      setItems((now) => [{ ...notice, id }, ...now].slice(0, 5));
      if (notice.type === 'success' || notice.type === 'info') setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  const shown = useMemo(
    () =>
      items.map(
        ({ id, type, text }): FlashbarProps.MessageDefinition => ({
          id,
          type,
          content: text,
          dismissible: true,
          dismissLabel: 'Close',
          onDismiss: () => drop(id),
        }),
      ),
    [items, drop],
  );
  return (
    <NotifyContext value={notify}>
      <div className="sluice-notices" aria-live="polite">
        <Flashbar items={shown} />
      </div>
      {children}
    </NotifyContext>
  );
}
