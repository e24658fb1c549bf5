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
  for (let actual = 0; actual < 140; actual += 1)
    for (let predicted = 0; predicted < 512; predicted += 1) {
      // Whole numbers of as many digits as there are, other ones of each true label.
      numbers.add({ label: `-9${String(actual * 512 + predicted).padStart(17, '0')}`, confidence: 0.5 }, `${actual}`);
      texts.add({ label: long(predicted), confidence: 0.5 }, long(actual));
    }
  expect(numbers.encode().length).toBeLessThan(330 * KIB);
  expect(texts.encode().length).toBeLessThan(330 * KIB);
  expect(FeedbackTally.decode(numbers.encode()).count).toBe(140 * 512);
});

test('where true labels are not told apart, the classes that are stay exact and no other is made up', () => {
  const rows = Array.from({ length: 150 }, (_, n) => ({ label: String(n), actual: String(n), confidence: undefined }));
  const { classes, confusion, count, accuracy } = reportOf(tallyOf(rows));
  expect([count, accuracy]).toEqual([150, 1]);
  expect(classes).toHaveLength(100);
  expect(classes.every(({ precision, recall, f1, support }) => precision * recall * f1 === 1 && support === 1)).toBe(
    true,
  );
  expect(confusion.other).toBe(50);
});

test('a report of nothing has no figures', () => {
  const empty = { count: 0, classes: [], calibration: [], confusion: { labels: [], counts: [], other: 0 } };
  const figures = { accuracy: undefined, interval: undefined, macroF1: undefined, expectedCalibrationError: undefined };
  expect(reportOf(new FeedbackTally())).toEqual({ ...empty, ...figures });
});

test.each(['', '{}', 'null', '{"count":1}'])('%j is no tally', (text) => {
  expect(() => FeedbackTally.decode(Buffer.from(text))).toThrow(Failure);
});
