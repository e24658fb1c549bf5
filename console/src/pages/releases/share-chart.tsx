import type { ReleaseDetail } from '../../api/api.ts';
import { TimeChart } from '../../components/time-chart.tsx';
import { percent } from '../../format/format.ts';
import { hasEnded } from './release-words.ts';

type Point = { readonly at: number; readonly value: number };

/** How much the candidate answered, and how much was shadowed, since it first had traffic. */
export function ShareChart({ release, nowMs }: { readonly release: ReleaseDetail; readonly nowMs: number }) {
  const { segments } = release;
  const endMs = hasEnded(release) ? (release.ended_at_ms ?? nowMs) : nowMs;
  const startMs = segments[0]?.from_ms ?? release.started_at_ms;
  const lineOf = (share: (segment: ReleaseDetail['segments'][number]) => number): Point[] => {
    const points: Point[] = [{ at: startMs, value: 0 }];
    for (const [at, segment] of segments.entries()) {
      const value = share(segment);
      points.push({ at: segment.from_ms, value: points.at(-1)!.value }, { at: segment.from_ms, value });
      if (segment.until_ms === null) continue;
      points.push({ at: segment.until_ms, value });
      // Nobody was on it until the next one, if there is one.
      if (segments[at + 1]?.from_ms !== segment.until_ms) points.push({ at: segment.until_ms, value: 0 });
    }
    const last = release.state === 'promoted' ? 1 : hasEnded(release) ? 0 : points.at(-1)!.value;
    return [...points, { at: endMs, value: last }];
  };
  const anyShadow = segments.some(({ shadow_percent: shadow }) => shadow > 0);
  return (
    <TimeChart
      label="Share of the candidate over time"
      height={140}
      format={percent}
      span={[startMs, Math.max(endMs, startMs + 1000)]}
      series={[
        {
          title: `Answered by version ${release.candidate}`,
          tone: 'candidate',
          points: lineOf(({ weight_percent: weight }) => weight / 100),
        },
        ...(anyShadow
          ? [
              {
                title: 'Shadowed',
                tone: 'candidate' as const,
                dashed: true,
                points: lineOf(({ shadow_percent: shadow }) => shadow / 100),
              },
            ]
          : []),
      ]}
    />
  );
}
