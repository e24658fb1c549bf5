import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareProfiles } from '../../../../core/quality/drift/compare.ts';
import type { Profile } from '../../../../core/quality/drift/profile.ts';
import { driftRulesSchema, LEAST_REFERENCE_ROWS } from '../../../../core/quality/drift/rules.ts';
import { SignedSketch } from '../../../../core/quality/signed-sketch.ts';
import { seededRandom } from '../../../../core/seeded-random.ts';
import { aProfile, ofTexts } from '../../../support/drift.ts';

const RULES = driftRulesSchema.parse({});

const named = (reference: Profile, current: Profile, name: string, rules = RULES) =>
  compareProfiles(reference, current, rules).find((check) => check.name === name);

/** So many rows by label, drawn from shares. */
function drawn(shares: readonly number[], rows: number, random: () => number): Profile {
  const counts: Record<string, number> = {};
  for (let row = 0; row < rows; row += 1) {
    let [left, label] = [random(), 0];
    while (label < shares.length - 1 && left >= shares[label]!) left -= shares[label++]!;
    counts[`l${label}`] = (counts[`l${label}`] ?? 0) + 1;
  }
  return aProfile(counts, 0.5);
}

/** Rows of one distribution in all that is compared. */
function drawnRows(rows: number, random: () => number): Profile {
  const profile = drawn([0.5, 0.3, 0.19, 0.01], rows, random);
  const lengths = Array.from({ length: rows }, () => Math.round(200 * random() ** 2));
  const text = ofTexts(lengths, { tooLong: lengths.filter((length) => length > 195).length });
  text.values = new SignedSketch();
  for (let row = 0; row < rows; row += 1) {
    text.values.add(random() + random() - random());
    profile.confidence.add(1 - 0.7 * random() ** 3);
    text.classes![2]! += random() < 0.1 ? 5 : 0;
  }
  profile.inputs.set('text', text);
  return profile;
}

function withText(profile: Profile, ...lengths: readonly number[]): Profile {
  profile.inputs.set('text', ofTexts(lengths));
  return profile;
}

describe('chance alone', () => {
  test.each([
    [3, 200],
    [77, 200],
    [77, 5000],
  ])('moves %i classes in %i rows past the threshold in about one of a thousand windows', (classes, rows) => {
    const random = seededRandom(7);
    // The last is a twentieth as frequent as the first.
    const weights = Array.from({ length: classes }, (_, at) => 0.05 ** (at / classes));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = weights.map((weight) => weight / total);
    const reference = drawn(shares, 3000, random);
    const windows = 300;
    let drifted = 0;
    for (let window = 0; window < windows; window += 1)
      if (named(reference, drawn(shares, rows, random), 'labels')!.drifted) drifted += 1;
    expect(drifted).toBeLessThanOrEqual(2);
  });

  test.each([
    [100, 200],
    [1000, 200],
    [5000, 500],
  ])(
    'moves no check of %i reference rows and %i of a window more often, however small an effect counts',
    (rows, window) => {
      const random = seededRandom(5);
      const drifted = new Map<string, number>();
      for (let at = 0; at < 200; at += 1) {
        const [reference, current] = [drawnRows(rows, random), drawnRows(window, random)];
        for (const check of compareProfiles(reference, current, { threshold: 1e-3, minSamples: 1 }))
          drifted.set(check.name, (drifted.get(check.name) ?? 0) + (check.drifted ? 1 : 0));
      }
      expect([...drifted.keys()].sort()).toEqual([
        'confidence',
        'labels',
        ...['classes', 'lengths', 'missing', 'too_long', 'values'].map((what) => `text.${what}`),
      ]);
      for (const [name, windows] of drifted) expect(windows, name).toBeLessThanOrEqual(3);
    },
  );

  test('hides no shift of labels that is there: of three classes one that doubles is found in the least window', () => {
    const random = seededRandom(3);
    const reference = drawn([0.6, 0.2, 0.2], 5000, random);
    const check = named(reference, drawn([0.4, 0.4, 0.2], RULES.minSamples, random), 'labels');
    expect(check).toMatchObject({ method: 'js', judged: true, drifted: true });
  });
});

describe('what is judged', () => {
  const reference = aProfile({ yes: 500, no: 500 });

  test('is a window with as many rows as are needed, and not one with a row less', () => {
    const other = (rows: number) => named(reference, aProfile({ yes: rows }), 'labels');
    expect(other(RULES.minSamples - 1)).toMatchObject({ judged: false, drifted: false });
    expect(other(RULES.minSamples)).toMatchObject({ judged: true, drifted: true });
  });

  test('is a reference with as many rows as are needed, and not one with a row less', () => {
    const current = aProfile({ no: 5000 });
    const by = (rows: number) => named(aProfile({ yes: rows }), current, 'labels');
    expect(by(LEAST_REFERENCE_ROWS - 1)).toMatchObject({ judged: false, drifted: false });
    expect(by(LEAST_REFERENCE_ROWS)).toMatchObject({ judged: true, drifted: true });
  });

  test('is an effect above the threshold, however sure a smaller one is', () => {
    const large = aProfile({ yes: 500_000, no: 500_000 });
    const check = named(large, aProfile({ yes: 530_000, no: 470_000 }), 'labels')!;
    expect(check).toMatchObject({ threshold: 0.1, drifted: false });
    expect(check.value).toBeGreaterThan(0.02);
    expect(
      named(large, aProfile({ yes: 530_000, no: 470_000 }), 'labels', { ...RULES, threshold: 0.01 })!.drifted,
    ).toBe(true);
  });

  test('is nothing that one of both has not seen', () => {
    expect(compareProfiles(reference, aProfile({}), RULES)).toEqual([]);
    expect(compareProfiles(aProfile({}), reference, RULES)).toEqual([]);
    expect(named(reference, withText(aProfile({ yes: 300 }), 3), 'text.lengths')).toBeUndefined();
  });
});

describe('by what', () => {
  test('confidence is compared by PSI', () => {
    const check = named(aProfile({ yes: 1000 }, 0.9), aProfile({ yes: 1000 }, 0.6), 'confidence');
    expect(check).toMatchObject({ subject: 'confidence', method: 'psi', drifted: true });
    expect(named(aProfile({ yes: 1000 }, 0.9), aProfile({ yes: 1000 }, 0.9), 'confidence')).toMatchObject({ value: 0 });
  });

  test('values of up to a thousand reference rows are compared by KS, of more by Wasserstein', () => {
    const ofValues = (rows: number, shift: number): Profile => {
      const profile = aProfile({});
      const values = new SignedSketch();
      for (let row = 0; row < rows; row += 1) values.add(((row * 7919) % 1000) / 10 - 50 + shift);
      profile.inputs.set('x', { ...ofTexts([]), lengths: undefined, classes: undefined, rows, values });
      return profile;
    };
    for (const [rows, method] of [
      [1000, 'ks'],
      [1001, 'wasserstein'],
    ] as const) {
      expect(named(ofValues(rows, 0), ofValues(1000, 0), 'x.values')).toMatchObject({ method, drifted: false });
      expect(named(ofValues(rows, 0), ofValues(1000, 40), 'x.values')).toMatchObject({ method, drifted: true });
    }
  });

  test('empty, over-long and longer texts, and other characters, are found each by itself', () => {
    const usual = Array.from({ length: 2000 }, (_, row) => 20 + (row % 50));
    const reference = withText(aProfile({}), ...usual);
    const drifted = (current: Profile) =>
      compareProfiles(reference, current, RULES).flatMap((check) => (check.drifted ? [check.name] : []));
    expect(drifted(withText(aProfile({}), ...usual))).toEqual([]);
    expect(drifted(withText(aProfile({}), ...usual.map((length, row) => (row % 10 === 0 ? 0 : length))))).toContain(
      'text.missing',
    );
    expect(drifted(withText(aProfile({}), ...usual.map((length) => length * 3)))).toEqual(['text.lengths']);
    const others = aProfile({});
    others.inputs.set('text', ofTexts(usual, { classes: [500, 500, 0, 100, 0, 0, 0] }));
    expect(drifted(others)).toEqual(['text.classes']);
    const long = aProfile({});
    long.inputs.set('text', ofTexts(usual, { tooLong: 200 }));
    expect(drifted(long)).toEqual(['text.too_long']);
  });
});

test('a profile is never far from itself, in whatever order its parts were merged', () => {
  const rows = fc.array(fc.nat(300), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(rows, fc.double({ min: 0, max: 1, noNaN: true }), (counts, confidence) => {
      const profile = withText(
        aProfile(Object.fromEntries(counts.map((count, at) => [`l${at}`, count])), confidence),
        ...counts,
      );
      for (const check of compareProfiles(profile, profile, { ...RULES, threshold: 0.01 }))
        expect([check.name, check.value, check.drifted]).toEqual([check.name, expect.closeTo(0, 9), false]);
    }),
    { numRuns: 50 },
  );
});
