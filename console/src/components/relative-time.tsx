import { useNow } from '../data/use-now.ts';
import { dateTime, type Moment, NOTHING, relative, toMs } from '../format/format.ts';

/** "12 s ago", growing; the whole date in the viewer's zone on hovering and to screen readers. */
export function RelativeTime({ at }: { readonly at: Moment }) {
  const nowMs = useNow();
  const ms = toMs(at);
  if (ms === undefined) return <>{NOTHING}</>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={dateTime(ms)}>
      {relative(ms, nowMs)}
    </time>
  );
}
