import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Telemetry } from '../../../core/ports/telemetry.ts';
import { decodeTelemetry, encodeTelemetry } from '../../../core/quality/encode-telemetry.ts';
import { type Answered, recordAnswer } from '../../../core/quality/record-answer.ts';
import { emptyTelemetry, errorsOf, mergeTelemetry } from '../../../core/quality/telemetry.ts';

const answered: fc.Arbitrary<Answered> = fc.record({
  tenant: fc.constantFrom('acme', 'globex'),
  latencyMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
  queueMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
  computeMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
  rows: fc.integer({ min: 1, max: 64 }),
  inputElements: fc.nat(10_000),
  error: fc.constantFrom(undefined, undefined, 'internal', 'overloaded', 'prediction-timeout'),
  fellBack: fc.boolean(),
  label: fc.constantFrom(undefined, 'yes', 'no'),
  confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  lot: fc.option(fc.record({ cohort: fc.nat(199), unit: fc.nat(1000) }), { nil: undefined }),
});
const many = fc.array(answered, { maxLength: 40 });

function telemetryOf(all: readonly Answered[], release: string | undefined = 'rel_1'): Telemetry {
  const telemetry = emptyTelemetry(release);
  for (const one of all) recordAnswer(telemetry, one);
  return telemetry;
}

/** As it is stored, with what has no order in one. */
function canonical(telemetry: Telemetry): unknown {
  const sort = (_: string, value: unknown) =>
    Array.isArray(value) && Array.isArray(value[0]) ? value.toSorted(byFirst) : value;
  return JSON.parse(encodeTelemetry(telemetry), sort);
}

function byFirst([a]: [string | number], [b]: [string | number]): number {
  return a < b ? -1 : 1;
}

describe('telemetry', () => {
  test('merges to the telemetry of all requests, in every order, and leaves its parts as they were', () => {
    fc.assert(
      fc.property(many, many, many, (a, b, c) => {
        const whole = canonical(telemetryOf([...a, ...b, ...c]));
        const parts = [telemetryOf(a), telemetryOf(b), telemetryOf(c)] as const;
        const before = parts.map(canonical);
        expect(canonical(mergeTelemetry(parts, 'rel_1'))).toEqual(whole);
        expect(canonical(mergeTelemetry(parts.toReversed(), 'rel_1'))).toEqual(whole);
        const pair = mergeTelemetry(parts.slice(1), 'rel_1');
        expect(canonical(mergeTelemetry([parts[0], pair], 'rel_1'))).toEqual(whole);
        expect(parts.map(canonical)).toEqual(before);
      }),
    );
  });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(many, (all) => {
        const telemetry = telemetryOf(all);
        expect(canonical(decodeTelemetry(encodeTelemetry(telemetry)))).toEqual(canonical(telemetry));
      }),
    );
  });

  test('keeps what one release compares apart from another one', () => {
    fc.assert(
      fc.property(many, many, (a, b) => {
        const merged = mergeTelemetry([telemetryOf(a, 'rel_1'), telemetryOf(b, 'rel_2')], 'rel_1');
        expect(merged.requests).toBe(a.length + b.length);
        expect([...merged.release!.cohorts.values()].reduce((sum, { requests }) => sum + requests, 0)).toBe(
          a.filter(({ lot }) => lot !== undefined).length,
        );
      }),
    );
  });

  test('counts a failing unit once, and none for a refusal that every version would give', () => {
    const one = fc.sample(answered, 1)[0]!;
    const lot = { cohort: 3, unit: 77 };
    const telemetry = telemetryOf([
      { ...one, lot, error: 'prediction-timeout' },
      { ...one, lot, error: 'internal' },
      { ...one, lot: { cohort: 4, unit: 78 }, error: 'quota-exceeded' },
    ]);
    expect(errorsOf(telemetry)).toBe(3);
    expect(telemetry.release!.failingUnits.hashes()).toEqual([77]);
    expect([telemetry.release!.cohorts.get(3)!.errors, telemetry.release!.cohorts.get(4)!.errors]).toEqual([2, 0]);
  });

  test('refuses a damaged or foreign text', () => {
    const text = encodeTelemetry(emptyTelemetry());
    for (const bad of ['', '{}', text.replace('"format":1', '"format":2'), text.replace('"requests"', '"Requests"')]) {
      expect(() => decodeTelemetry(bad)).toThrow();
    }
  });
});
