import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../../core/failure.ts';
import { reportOf } from '../../../../core/quality/feedback/report.ts';
import { FeedbackTally } from '../../../../core/quality/feedback/tally.ts';

const KIB = 1024;

const row = fc.record({
  label: fc.integer({ min: 0, max: 160 }).map(String),
  actual: fc.integer({ min: 0, max: 160 }).map(String),
  confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
});

function tallyOf(rows: readonly { label: string; actual: string; confidence: number | undefined }[]): FeedbackTally {
  const tally = new FeedbackTally();
  for (const { actual, ...answer } of rows) tally.add(answer, actual);
  return tally;
}

test('merging gives the same in every order, also where labels are too many to be told apart, and none is lost', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 400 }), fc.array(row, { maxLength: 400 }), (a, b) => {
      const [one, other] = [tallyOf(a), tallyOf(b)];
      one.merge(tallyOf(b));
      other.merge(tallyOf(a));
      const reports = [one, other, tallyOf([...b, ...a])].map(reportOf);
      expect(reports[1]).toEqual(reports[0]);
      expect(reports[2]).toEqual(reports[0]);
      expect(one.count).toBe(a.length + b.length);
      expect(one.confusion.total).toBe(one.count);
    }),
    { numRuns: 50 },
  );
});

test('what is stored is read again as it was', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 300 }), (rows) => {
      const tally = tallyOf(rows);
      expect(reportOf(FeedbackTally.decode(tally.encode()))).toEqual(reportOf(tally));
    }),
    { numRuns: 50 },
  );
});

test('a tally has room in an item however many labels there are', () => {
  const numbers = new FeedbackTally();
  const texts = new FeedbackTally();
  const long = (n: number) => `${'语'.repeat(60)}${String(n).padStart(4, '0')}`;
  for (let actual = 0; actual < 100; actual += 1)
    for (let nth = 0; nth < 100; nth += 1) {
      // Whole numbers of as many digits as there are, other ones of each true label.
      numbers.add({ label: `-9${String(100 * actual + nth).padStart(17, '0')}`, confidence: 0.5 }, `${actual}`);
      texts.add({ label: long((7 * actual + nth) % 512), confidence: 0.5 }, long(actual));
    }
  expect(numbers.encode().length).toBeLessThan(330 * KIB);
  expect(texts.encode().length).toBeLessThan(330 * KIB);
  expect(numbers.encode().length).toBeGreaterThan(150 * KIB);
  expect(FeedbackTally.decode(numbers.encode()).count).toBe(10_000);
});

test('every one of 150 classes is told exactly, though the matrix shows 90 of them', () => {
  const rows = Array.from({ length: 150 }, (_, n) => [
    { label: String(n), actual: String(n), confidence: undefined },
    { label: String((n + 1) % 150), actual: String(n), confidence: undefined },
  ]).flat();
  const { classes, confusion, count, accuracy, macroF1 } = reportOf(FeedbackTally.decode(tallyOf(rows).encode()));
  expect([count, accuracy, macroF1]).toEqual([300, 0.5, 0.5]);
  // The most that is shown.
  expect(classes).toHaveLength(128);
  expect(classes.every(({ precision, recall, support }) => precision === 0.5 && recall === 0.5 && support === 2)).toBe(
    true,
  );
  const shown = confusion.counts.flat().reduce((sum, cell) => sum + cell, 0);
  expect(shown + confusion.other).toBe(300);
  expect(confusion.counts.filter((row) => row.some((cell) => cell > 0)).length).toBeLessThanOrEqual(90);
});

test('of more than 512 classes those are told of which all is known, and no figure is made up', () => {
  const rows = Array.from({ length: 700 }, (_, n) => ({ label: `${n}`, actual: `${n}`, confidence: undefined }));
  const { classes, accuracy, macroF1 } = reportOf(tallyOf(rows));
  expect([accuracy, macroF1, classes.length]).toEqual([1, 1, 128]);
});

test('a report of nothing has no figures', () => {
  const empty = { count: 0, classes: [], calibration: [], confusion: { labels: [], counts: [], other: 0 } };
  const figures = { accuracy: undefined, interval: undefined, macroF1: undefined, expectedCalibrationError: undefined };
  expect(reportOf(new FeedbackTally())).toEqual({ ...empty, ...figures });
});

test.each(['', '{}', 'null', '{"count":1}'])('%j is no tally', (text) => {
  expect(() => FeedbackTally.decode(Buffer.from(text))).toThrow(Failure);
});
