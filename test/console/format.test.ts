import { describe, expect, test } from 'vitest';
import { nearest, niceTicks, timeTicks } from '../../console/src/components/chart-scale.ts';
import * as format from '../../console/src/format/format.ts';

describe('numbers with their units', () => {
  test.each([
    [format.percent(0.1234), '12.3 %'],
    [format.percent(0.01), '1 %'],
    [format.percent(0.000_01), '< 0.01 %'],
    [format.percent(0), '0 %'],
    [format.duration(0.93), '0.93 ms'],
    [format.duration(120), '120 ms'],
    [format.duration(4200), '4.2 s'],
    [format.duration(200_000), '3 min 20 s'],
    [format.duration(3_599_999), '60 min'],
    [format.duration(18_000_000), '5 h'],
    [format.seconds(90), '1 min 30 s'],
    [format.seconds(0), '0 s'],
    [format.count(1_234_567), '1,234,567'],
    [format.shortCount(1_234_567), '1.2M'],
    [format.perSecond(12.345), '12.3/s'],
    [format.bytes(1536), '1.5 KiB'],
    [format.usd(1234.5), '$1,234.50'],
    [format.usd(0.000_123_4), '$0.00012'],
    [format.usd(0), '$0.00'],
    [format.inUnit(0.05, 'share'), '5 %'],
    [format.inUnit(1, 'flag'), 'yes'],
    [format.inUnit(14.4, 'ratio'), '14.4 ×'],
  ])('%s', (written, expected) => {
    expect(written).toBe(expected);
  });

  test('nothing is a dash, never zero', () => {
    for (const write of [format.percent, format.duration, format.count, format.usd, format.bytes, format.seconds]) {
      for (const none of [null, undefined, Number.NaN]) expect(write(none)).toBe('–');
    }
    expect(format.dateTime(null)).toBe('–');
    expect(format.relative('nonsense', 0)).toBe('–');
  });

  test('ages count in one unit, before and after', () => {
    expect(format.relative(0, 500)).toBe('now');
    expect(format.relative(0, 61_000)).toBe('1 min ago');
    expect(format.relative(7_200_000, 0)).toBe('in 2 h');
  });
});

describe('scales of charts', () => {
  test('go to the highest value in round steps', () => {
    expect(niceTicks(0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(niceTicks(97, 4)).toEqual([0, 50, 100]);
    expect(niceTicks(0, 4)).toEqual([0, 1]);
  });

  test('mark an hour at round times', () => {
    const from = Date.parse('2026-01-01T10:07:00Z');
    const ticks = timeTicks(from, from + 3_600_000, 5);
    expect(ticks.map((ms) => new Date(ms).getMinutes() % 15)).toEqual(ticks.map(() => 0));
    expect(ticks.length).toBeLessThanOrEqual(5);
    expect(timeTicks(from, from, 5)).toEqual([]);
  });

  test('point at what is nearest', () => {
    expect(nearest([10, 20, 30], 24)).toBe(1);
    expect(nearest([10, 20, 30], 999)).toBe(2);
  });
});
