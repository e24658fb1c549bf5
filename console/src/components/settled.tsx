import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

/**
 * As tall as its content ever was at this width: what is below does not move as lines come and go. `of` names what it shows: for something else it
 * begins anew.
 */
export function Settled({ of, children }: { readonly of: string; readonly children: ReactNode }) {
  const content = useRef<HTMLDivElement>(null);
  const [kept, setKept] = useState({ of, width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = content.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      const { width, height } = element.getBoundingClientRect();
      setKept((before) => {
        const isSame = before.of === of && before.width === width;
        if (isSame && height <= before.height) return before;
        return { of, width, height };
      });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [of]);
  return (
    <div style={{ minHeight: kept.of === of ? kept.height : 0 }}>
      <div ref={content}>{children}</div>
    </div>
  );
}
