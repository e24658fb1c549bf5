import { describe, expect, test } from 'vitest';
import { spanOf, spanQuery } from '../../../core/api/time-span.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../core/units.ts';
import { failureCodeOf } from '../../contract/contract.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 34, 56);
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const ask = (query: object) => spanOf(spanQuery.parse(query), NOW);

describe('a span', () => {
  test('is the last hour by minute unless told otherwise, from a whole step on', () => {
    expect(ask({})).toEqual({ fromMs: Date.UTC(2026, 10, 28, 11, 34), untilMs: NOW, stepMs: MINUTE_MS });
  });

  test('has at most 180 steps by itself, whole hours where it begins over fifteen days ago', () => {
    const steps = [2 * HOUR_MS, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 300 * DAY_MS];
    expect(steps.map((ms) => ask({ from: ago(ms) }).stepMs / MINUTE_MS)).toEqual([1, 15, 60, 60, 360, 1440]);
    expect(ask({ from: ago(20 * DAY_MS), until: ago(20 * DAY_MS - HOUR_MS) }).stepMs).toBe(HOUR_MS);
  });

  test('is refused where it ends before it begins, has too many steps, or wants minutes that are no longer kept', async () => {
    const refused = [
      { from: ago(0), until: ago(1) },
      { from: ago(-1) },
      { from: ago(2 * HOUR_MS + 6 * MINUTE_MS), step_s: '5' },
      { from: ago(16 * DAY_MS), until: ago(16 * DAY_MS - HOUR_MS), step_s: '60' },
      { from: ago(400 * DAY_MS), step_s: '3600' },
    ];
    for (const query of refused) expect(await failureCodeOf((async () => ask(query))())).toBe('request-invalid');
    for (const query of [{ step_s: '7' }, { step_s: '0' }, { from: 'yesterday' }, { from: '2026-11-28T12:00:00' }])
      expect(spanQuery.safeParse(query).success).toBe(false);
  });
});
