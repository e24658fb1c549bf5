import { describe, expect, test } from 'vitest';
import { LoadPressure } from '../../gpu-worker/load-pressure.ts';

const LOAD_MS = 100;

describe('a model is loaded into one more runner', () => {
  test('once runs that kept its work waiting beside an idle runner add up to what loading takes', () => {
    const pressure = new LoadPressure();
    for (let run = 0; run < 10; run += 1) {
      expect(pressure.isDue(run * 100, LOAD_MS)).toBe(false);
      pressure.wait(run * 100);
      pressure.ran(10);
    }
    expect(pressure.isDue(1000, LOAD_MS)).toBe(true);
  });

  test('or while one run has kept it waiting for so long', () => {
    const pressure = new LoadPressure();
    pressure.wait(1000);
    expect(pressure.isDue(1099, LOAD_MS)).toBe(false);
    expect(pressure.isDue(1100, LOAD_MS)).toBe(true);
  });

  test('or once batches took so much longer than they would have on two', () => {
    const pressure = new LoadPressure();
    pressure.miss(0, 60);
    expect(pressure.isDue(0, LOAD_MS)).toBe(false);
    pressure.miss(50, 40);
    expect(pressure.isDue(50, LOAD_MS)).toBe(true);
  });

  test('and then not again for the same runs', () => {
    const pressure = new LoadPressure();
    pressure.miss(50, 160);
    pressure.relieved();
    expect(pressure.isDue(1000, LOAD_MS)).toBe(false);
  });

  test('never for runs that kept nothing waiting, however long, nor for tiny ones, however many', () => {
    const pressure = new LoadPressure();
    pressure.ran(1000);
    for (let run = 0; run < 10_000; run += 1) {
      pressure.wait(run);
      pressure.ran(0.1);
    }
    expect(pressure.isDue(10_000, LOAD_MS)).toBe(false);
  });

  test('never for runs that are further apart than ten seconds', () => {
    const pressure = new LoadPressure();
    for (let run = 0; run < 20; run += 1) {
      pressure.wait(run * 11_000);
      pressure.ran(90);
      expect(pressure.isDue(run * 11_000, LOAD_MS)).toBe(false);
    }
  });
});
