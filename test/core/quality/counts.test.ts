import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Confidence } from '../../../core/quality/confidence.ts';
import { LabelCounts } from '../../../core/quality/label-counts.ts';
import { hashText } from '../../../core/quality/text-hash.ts';
import { UnitSample } from '../../../core/quality/unit-sample.ts';
import { VarintReader, VarintWriter } from '../../../core/quality/varint.ts';

const LIMIT = 5;
const labels = fc.array(fc.constantFrom(...'abcdefghijkl'.split('')), { maxLength: 60 });
const hashes = fc.array(fc.nat(200), { maxLength: 60 });

function counted(seen: readonly string[]): LabelCounts {
  const counts = new LabelCounts(LIMIT);
  for (const label of seen) counts.add(label);
  return counts;
}

function sorted(counts: LabelCounts) {
  const { counts: all, other } = counts.contents();
  return { all: all.toSorted(([a], [b]) => (a < b ? -1 : 1)), other };
}

function sampled(seen: readonly number[]): UnitSample {
  return new UnitSample(seen, LIMIT);
}

describe('label counts', () => {
  test('are exact for every label they keep, keep no more than their limit, and lose nobody', () => {
    fc.assert(
      fc.property(labels, (seen) => {
        const counts = counted(seen);
        const kept = [...counts.labels()];
        expect(kept.length).toBe(Math.min(LIMIT, new Set(seen).size));
        for (const label of kept) expect(counts.get(label)).toBe(seen.filter((one) => one === label).length);
        expect(counts.total).toBe(seen.length);
      }),
    );
  });

  test('merge to the same in every order', () => {
    fc.assert(
      fc.property(labels, labels, labels, (a, b, c) => {
        const whole = sorted(counted([...a, ...b, ...c]));
        const [left, right, back] = [counted(a), counted(b), counted(c)];
        left.merge(counted(b));
        left.merge(counted(c));
        right.merge(counted(c));
        right.merge(counted(a));
        back.merge(counted(b));
        back.merge(counted(a));
        expect([sorted(left), sorted(right), sorted(back)]).toEqual([whole, whole, whole]);
      }),
    );
  });

  test('show the most frequent first, those alike in order of name, and the rest as other', () => {
    const counts = counted([...'bbbaaac']);
    expect(counts.top(2)).toEqual({
      top: [
        ['a', 3],
        ['b', 3],
      ],
      other: 1,
    });
    expect(sorted(LabelCounts.of(counts.contents()))).toEqual(sorted(counts));
  });
});

describe('a sample of units', () => {
  test('holds each unit once, the smallest hashes of all, in whatever order and parts they came', () => {
    fc.assert(
      fc.property(hashes, hashes, (a, b) => {
        const smallest = [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, LIMIT);
        const [left, right] = [sampled(a), sampled(b)];
        left.merge(sampled(b));
        right.merge(sampled(a));
        expect(left.hashes()).toEqual(smallest);
        expect(right.hashes()).toEqual(smallest);
        expect(left.complete).toBe(smallest.length < LIMIT);
      }),
    );
  });
});

describe('a confidence histogram', () => {
  test('puts 0 in the first bin, 1 in the last, and adds up', () => {
    const [a, b] = [new Confidence(), new Confidence()];
    for (const confidence of [0, 0.049, 0.05, 0.999, 1]) a.add(confidence);
    b.add(0.5);
    a.merge(b);
    expect([a.bins[0], a.bins[1], a.bins[10], a.bins[19], a.count]).toEqual([2, 1, 1, 2, 6]);
    expect(() => a.add(1.01)).toThrow(RangeError);
    expect(() => a.add(Number.NaN)).toThrow(RangeError);
  });
});

describe('whole numbers', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        const writer = new VarintWriter();
        for (const number of numbers) writer.write(number);
        const reader = new VarintReader(writer.bytes());
        expect(numbers.map(() => reader.read())).toEqual(numbers);
        expect(reader.ended).toBe(true);
      }),
    );
  });
});

describe('the hash of a text', () => {
  test('spreads similar texts evenly: chi-square over 256 cells within five standard deviations', () => {
    const cells = new Array(256).fill(0);
    const texts = 256 * 400;
    for (let at = 0; at < texts; at += 1) cells[hashText(7, `user-${at}`) >>> 24] += 1;
    const chi = cells.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
    expect(Math.abs(chi - 255)).toBeLessThan(5 * Math.sqrt(2 * 255));
  });

  test('never changes: a unit that moved would change its version in the middle of a release', () => {
    expect([hashText(0, ''), hashText(0, 'acme'), hashText(1, 'acme'), hashText(0, 'größe')]).toMatchInlineSnapshot(`
      [
        0,
        3275843951,
        2709333861,
        64680701,
      ]
    `);
  });
});
