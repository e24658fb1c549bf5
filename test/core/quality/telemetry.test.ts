import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Telemetry } from '../../../core/ports/telemetry.ts';
import { countCharacters } from '../../../core/quality/character-class.ts';
import { decodeTelemetry, encodeTelemetry } from '../../../core/quality/encode-telemetry.ts';
import { CHARACTER_CLASSES, profileIn } from '../../../core/quality/input-profile.ts';
import { type Answered, recordAnswer } from '../../../core/quality/record-answer.ts';
import { type Feedback, recordFeedback } from '../../../core/quality/record-feedback.ts';
import { SignedSketch } from '../../../core/quality/signed-sketch.ts';
import { Sketch } from '../../../core/quality/sketch.ts';
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
/** More labels than are kept of a confusion. */
const label = fc.nat(40).map((at) => `l${at}`);
const feedback: fc.Arbitrary<Feedback> = fc
  .record({
    tenant: fc.constantFrom('acme', 'globex'),
    actual: label,
    predicted: fc.option(label, { nil: undefined }),
    confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    lot: fc.option(fc.record({ release: fc.constantFrom('rel_1', 'rel_2'), cohort: fc.nat(199) }), { nil: undefined }),
  })
  .map((one) => ({ ...one, correct: one.actual === one.predicted }));
const inputs = fc.array(
  fc.record({
    name: fc.nat(20).map((at) => `input-${at}`),
    value: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    text: fc.string({ unit: 'grapheme', maxLength: 12 }),
  }),
  { maxLength: 20 },
);
const many = fc.record({
  answers: fc.array(answered, { maxLength: 40 }),
  feedback: fc.array(feedback, { maxLength: 60 }),
  inputs,
});
type Many = typeof many extends fc.Arbitrary<infer T> ? T : never;

function telemetryOf(all: readonly Answered[], release: string | undefined = 'rel_1'): Telemetry {
  const telemetry = emptyTelemetry(release);
  for (const one of all) recordAnswer(telemetry, one);
  return telemetry;
}

/** Of all that several of them were told. */
function telemetryOfAll(...parts: readonly Many[]): Telemetry {
  const telemetry = telemetryOf(parts.flatMap(({ answers }) => answers));
  for (const one of parts.flatMap((part) => part.feedback)) recordFeedback(telemetry, one);
  for (const { name, value, text } of parts.flatMap((part) => part.inputs)) {
    const profile = profileIn(telemetry.inputs, name);
    if (profile === undefined) continue;
    profile.rows += 1;
    profile.values ??= new SignedSketch();
    profile.values.add(value);
    profile.lengths ??= new Sketch();
    profile.lengths.add(text.length);
    profile.classes ??= CHARACTER_CLASSES.map(() => 0);
    countCharacters(profile.classes, text, 100);
  }
  return telemetry;
}

/** As it is stored, with what has no order in one. */
function canonical(telemetry: Telemetry): unknown {
  const sort = (_: string, value: unknown) => {
    if (Array.isArray(value) && Array.isArray(value[0]) && typeof value[0][0] !== 'object')
      return value.toSorted(byFirst);
    return isNamed(value) ? value.toSorted((a, b) => byFirst([a.name], [b.name])) : value;
  };
  return JSON.parse(encodeTelemetry(telemetry), sort);
}

function isNamed(value: unknown): value is readonly { readonly name: string }[] {
  return Array.isArray(value) && typeof value[0] === 'object' && value[0] !== null && 'name' in value[0];
}

function byFirst([a]: [string | number], [b]: [string | number]): number {
  return a < b ? -1 : 1;
}

describe('telemetry', () => {
  test('merges to the telemetry of all requests, in every order, and leaves its parts as they were', () => {
    fc.assert(
      fc.property(many, many, many, (a, b, c) => {
        const whole = canonical(telemetryOfAll(a, b, c));
        const parts = [telemetryOfAll(a), telemetryOfAll(b), telemetryOfAll(c)] as const;
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
        const telemetry = telemetryOfAll(all);
        expect(canonical(decodeTelemetry(encodeTelemetry(telemetry)))).toEqual(canonical(telemetry));
      }),
    );
  });

  test('keeps what one release compares apart from another one', () => {
    fc.assert(
      fc.property(many, many, ({ answers: a }, { answers: b }) => {
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

  test('that was written before inputs and feedback were counted is read as telemetry without any', () => {
    const telemetry = telemetryOf(fc.sample(answered, 5));
    const text = encodeTelemetry(telemetry);
    const counted = ['inputs', 'feedbackTenants', 'feedbackCorrectTenants', 'confusion', 'calibration'];
    expect(Object.keys(JSON.parse(text)).filter((name) => counted.includes(name))).toEqual([]);
    const { inputs, confusion, calibration, feedbackTenants } = decodeTelemetry(text);
    expect([inputs.size, confusion.total, calibration.total, feedbackTenants.total]).toEqual([0, 0, 0, 0]);
  });

  test('counts feedback once a row, by tenant, by label and by confidence, and its lot only in its own release', () => {
    fc.assert(
      fc.property(fc.array(feedback, { maxLength: 100 }), (all) => {
        const telemetry = emptyTelemetry('rel_1');
        for (const one of all) recordFeedback(telemetry, one);
        const correct = all.filter((one) => one.correct).length;
        const { confusion, calibration, release } = telemetry;
        expect([telemetry.feedback, telemetry.feedbackCorrect]).toEqual([all.length, correct]);
        expect([telemetry.feedbackTenants.total, telemetry.feedbackCorrectTenants.total]).toEqual([
          all.length,
          correct,
        ]);
        expect(confusion.total).toBe(all.filter(({ predicted }) => predicted !== undefined).length);
        expect([...confusion.actual()].length).toBeLessThanOrEqual(32);
        for (const actual of confusion.actual()) {
          const own = all.filter((one) => one.actual === actual && one.predicted !== undefined);
          expect(confusion.of(actual)!.total).toBe(own.length);
        }
        expect(calibration.total).toBe(all.filter(({ confidence }) => confidence !== undefined).length);
        const cohorts = [...release!.cohorts.values()].reduce((sum, cohort) => sum + cohort.feedback, 0);
        expect(cohorts).toBe(all.filter(({ lot }) => lot?.release === 'rel_1').length);
      }),
    );
  });

  test('refuses a damaged or foreign text', () => {
    const text = encodeTelemetry(emptyTelemetry());
    for (const bad of ['', '{}', text.replace('"format":1', '"format":2'), text.replace('"requests"', '"Requests"')]) {
      expect(() => decodeTelemetry(bad)).toThrow();
    }
  });
});
