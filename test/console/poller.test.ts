import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Polled, Poller } from '../../console/src/data/poller.ts';

describe('a poller', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function start(load: (signal: AbortSignal) => Promise<number>, everyMs: number | undefined, hidden = false) {
    const seen: Polled<number>[] = [];
    const poller = new Poller<number>({ load, everyMs, onChange: (polled) => seen.push(polled), random: () => 1 });
    poller.start(hidden);
    return { poller, seen };
  }

  test('asks again after each answer, and never while a request is under way', async () => {
    let pending = 0;
    let most = 0;
    let asked = 0;
    const { poller } = start(async () => {
      asked += 1;
      pending += 1;
      most = Math.max(most, pending);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      pending -= 1;
      return asked;
    }, 1000);
    await vi.advanceTimersByTimeAsync(12_500);
    expect(most).toBe(1);
    expect(asked).toBe(4);
    poller.stop();
  });

  test('doubles its pauses while it fails, to a minute at the most, and keeps the last value as stale', async () => {
    const atMs: number[] = [];
    const { poller, seen } = start(async () => {
      atMs.push(Date.now());
      if (atMs.length > 1) throw new Error('down');
      return 7;
    }, 5000);
    await vi.advanceTimersByTimeAsync(300_000);
    const pauses = atMs.slice(1).map((ms, at) => ms - (atMs[at] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([5000, 10_000, 20_000, 40_000, 60_000]);
    expect(Math.max(...pauses)).toBe(60_000);
    expect(seen.at(-1)).toMatchObject({ kind: 'ready', value: 7, staleBecause: new Error('down') });
    poller.stop();
  });

  test('asks nothing while hidden, and at once when seen again', async () => {
    let asked = 0;
    const { poller } = start(async () => (asked += 1), 1000);
    await vi.advanceTimersByTimeAsync(0);
    poller.setHidden(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    poller.setHidden(false);
    expect(asked).toBe(2);
    poller.stop();
  });

  test('loads once what is not polled, but again after a failure', async () => {
    let asked = 0;
    const { poller, seen } = start(async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return asked;
    }, undefined);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(asked).toBe(2);
    expect(seen.map(({ kind }) => kind)).toEqual(['failed', 'ready']);
    poller.stop();
  });

  test('aborts what is under way when it is stopped or refreshed, and tells nothing of it', async () => {
    const signals: AbortSignal[] = [];
    const { poller, seen } = start((signal) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }, 1000);
    void poller.refresh();
    poller.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(seen).toEqual([]);
  });
});
