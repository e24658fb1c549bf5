import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GoldenPair } from '../../../core/models/golden.ts';
import { checkOf, fp32, perRow, validateFake } from '../../support/fake-sandbox.ts';

const triples = { answer: perRow(([x]) => 3 * x!) };

function pair(x: number, y: number): GoldenPair {
  return { inputs: [fp32('x', [1, 1], [x])], outputs: [fp32('y', [1, 1], [y])] };
}

describe('golden pairs', () => {
  test('that agree pass, and their largest difference is kept', async () => {
    const { validated, checks } = await validateFake({ model: triples, golden: [pair(1, 3), pair(2, 6.0001)] });
    expect(checkOf({ checks }, 'golden')).toMatchObject({ outcome: 'passed' });
    expect(validated!.validation.goldenPairs).toBe(2);
    expect(validated!.validation.largestDifference).toBeCloseTo(1e-4, 5);
  });

  test('of which there are none are a warning', async () => {
    const { validated, checks } = await validateFake({ model: triples });
    expect(checkOf({ checks }, 'golden')).toMatchObject({
      outcome: 'warning',
      advice: expect.stringContaining('golden.jsonl'),
    });
    expect(validated!.validation.goldenPairs).toBe(0);
  });

  test('that differ are all counted, and the worst is named with its output and by how much', async () => {
    const golden = [pair(1, 3), pair(0, 0.0003), pair(0, 0.5), pair(2, 6)];
    const { failure, checks, discarded, open } = await validateFake({ model: triples, golden });
    expect(failure).toMatchObject({ code: 'golden-mismatch', facts: { pair: 3, failed: 2 } });
    const check = checkOf({ checks }, 'golden')!;
    expect(check.outcome).toBe('refused');
    expect(check.detail).toContain('2 of 4 golden pairs differ');
    expect(check.detail).toContain('pair 3: y');
    // |0 − 0.5| / (1e-4 + 1e-4 × 0.5)
    expect(check.detail).toContain('3,333 times the tolerance');
    expect(checks.at(-1)).toBe(check);
    expect({ discarded, open }).toEqual({ discarded: 1, open: 0 });
  });

  test('that nearly agree are told so', async () => {
    const { checks } = await validateFake({ model: triples, golden: [pair(0, 0.0003)] });
    expect(checkOf({ checks }, 'golden')?.advice).toContain('widen `tolerance`');
  });

  test.each([
    ['name another input', [fp32('z', [1, 1], [1])], 'input-unknown'],
    ['have another shape', [fp32('x', [1, 2], [1, 2])], 'shape-mismatch'],
    ['hold what the rules exclude', [fp32('x', [1, 1], [11])], 'value-out-of-range'],
    ['hold what is not finite', [fp32('x', [1, 1], [Number.NaN])], 'value-not-finite'],
  ])('that %s are refused, as a caller would be', async (_, inputs, code) => {
    const golden = [pair(1, 3), { inputs, outputs: pair(1, 3).outputs }];
    const { failure } = await validateFake({ model: triples, golden, manifest: { inputs: { x: { max: 10 } } } });
    expect(failure).toMatchObject({ code: 'golden-invalid', facts: { pair: 2 } });
    expect((failure as Error).message).toContain(code);
  });

  test.each([
    ['refuses', 'model-invalid'],
    ['crashes', 'model-crashes'],
    ['hangs', 'validation-timeout'],
  ] as const)('that the model %s on are refused with %s, the pair named', async (ending, code) => {
    const model = { answer: perRow(() => 1) };
    const onFive = {
      answer: (inputs: Parameters<typeof model.answer>[0]) =>
        inputs[0]!.data[0] === 5 ? ending : model.answer(inputs),
    };
    const { failure } = await validateFake({ model: onFive, golden: [pair(1, 1), pair(5, 1)] });
    expect(failure).toMatchObject({ code });
    expect((failure as Error).message).toContain('golden pair 2');
    expect((failure as Error).message).not.toContain('31337');
  });

  test('of which too many are too slow are refused, not left out', async () => {
    const golden = Array.from({ length: 30 }, (_, at) => pair(at, 3 * at));
    const { failure } = await validateFake({ model: { ...triples, runMs: () => 900 }, golden });
    expect(failure).toMatchObject({ code: 'validation-timeout', message: expect.stringMatching(/of 30 golden pairs/) });
  });

  test('are never quoted, whatever is found', async () => {
    const secret = fc.double({ min: 1000, max: 9e6, noNaN: true });
    await fc.assert(
      fc.asyncProperty(secret, secret, fc.boolean(), async (x, y, agrees) => {
        const single = Math.fround(x);
        const golden = [pair(single, agrees ? Math.fround(3 * single) : Math.fround(y))];
        const run = await validateFake({ model: triples, golden });
        const told = JSON.stringify([run.checks, run.told, run.failure, (run.failure as Error)?.message]);
        for (const value of [single, Math.fround(y), Math.fround(3 * single)]) {
          expect(told).not.toContain(String(value).slice(0, 7));
        }
      }),
      { numRuns: 20 },
    );
  });
});
