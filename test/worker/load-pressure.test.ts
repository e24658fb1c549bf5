import { describe, expect, test } from 'vitest';
import { LoadPressure } from '../../gpu-worker/load-pressure.ts';

const LOAD_MS = 100;

describe('a model is loaded into one more runner', () => {
  test('once its work has waited beside an idle runner for as long as loading takes', () => {
    const pressure = new LoadPressure();
    pressure.wait(1000);
    expect(pressure.isDue(1099, LOAD_MS)).toBe(false);
    expect(pressure.isDue(1100, LOAD_MS)).toBe(true);
  });

  test('however many waits that was, as long as they are close to each other', () => {
    const pressure = new LoadPressure();
    for (let nowMs = 0; nowMs < 1000; nowMs += 100) {
      pressure.wait(nowMs);
      pressure.served(nowMs + 10);
    }
    expect(pressure.isDue(1000, LOAD_MS)).toBe(true);
    pressure.wait(60_000);
    expect(pressure.isDue(60_000, LOAD_MS)).toBe(false);
  });

  test('or once batches took so much longer than they would have on two', () => {
    const pressure = new LoadPressure();
    pressure.miss(0, 60);
    expect(pressure.isDue(0, LOAD_MS)).toBe(false);
    pressure.miss(50, 40);
    expect(pressure.isDue(50, LOAD_MS)).toBe(true);
  });

  test('and then not again for the same waits', () => {
    const pressure = new LoadPressure();
    pressure.wait(0);
    pressure.miss(50, 60);
    pressure.relieved();
    expect(pressure.isDue(1000, LOAD_MS)).toBe(false);
  });

  test('never for waits during which nothing waited', () => {
    const pressure = new LoadPressure();
    pressure.wait(0);
    pressure.served(10);
    expect(pressure.isDue(5000, LOAD_MS)).toBe(false);
  });
});
