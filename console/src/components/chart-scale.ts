import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';

/** Steps of 1, 2 or 5 times a power of ten from zero to `highest` or just above it, about `count` of them. */
export function niceTicks(highest: number, count: number): readonly number[] {
  if (!(highest > 0)) return [0, 1];
  const rough = highest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const steps = Math.ceil(highest / step - 1e-9);
  // Multiplied, not added up: 0.1 + 0.2 is not 0.3.
  return Array.from({ length: steps + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}

const TIME_STEPS = [
  SECOND_MS,
  5 * SECOND_MS,
  15 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  30 * DAY_MS,
];

/** Round moments in the viewer's zone within a span, `count` at the most. */
export function timeTicks(fromMs: number, untilMs: number, count: number): readonly number[] {
  const spanMs = untilMs - fromMs;
  if (!(spanMs > 0)) return [];
  const stepMs = TIME_STEPS.find((step) => spanMs / step <= count) ?? 30 * DAY_MS;
  const zoneMs = new Date(fromMs).getTimezoneOffset() * MINUTE_MS;
  const firstMs = Math.ceil((fromMs - zoneMs) / stepMs) * stepMs + zoneMs;
  const ticks: number[] = [];
  for (let ms = firstMs; ms <= untilMs; ms += stepMs) ticks.push(ms);
  return ticks;
}

/** Place of the value that is nearest to `wanted`; `sorted` must not be empty. */
export function nearest(sorted: readonly number[], wanted: number): number {
  let best = 0;
  for (const [place, value] of sorted.entries()) {
    if (Math.abs(value - wanted) < Math.abs((sorted[best] ?? 0) - wanted)) best = place;
  }
  return best;
}
