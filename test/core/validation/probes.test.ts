import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/inference/tensor.ts';
import type { Signature } from '../../../core/models/signature.ts';
import {
  checkOf,
  type Ending,
  type FakeModel,
  fp32,
  perRow,
  rowsIn,
  validateFake,
} from '../../support/fake-sandbox.ts';

const LEAST = -(2n ** 63n);
const ids: Signature = {
  inputs: [{ name: 'ids', datatype: 'INT64', shape: ['batch', 'sequence'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};
const two: Signature = {
  inputs: [
    { name: 'a', datatype: 'INT64', shape: ['batch'] },
    { name: 'b', datatype: 'INT64', shape: ['batch'] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};
const texts: Signature = {
  inputs: [{ name: 'text', datatype: 'BYTES', shape: ['batch'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};

/** Sums rows, but ends so where `when` holds. */
function ending(signature: Signature, how: Ending, when: (inputs: readonly Tensor[]) => boolean): FakeModel {
  return {
    signature,
    answer: (inputs) => (when(inputs) ? how : perRow((row) => row.reduce((a, b) => a + b, 0))(inputs)),
  };
}

const holds = (test: (value: bigint) => boolean) => (inputs: readonly Tensor[]) =>
  inputs.some(({ data }) => [...(data as BigInt64Array)].some(test));

describe('a value that the manifest allows and that ends the process', () => {
  test('refuses the model, naming input, value and the rule that would exclude it', async () => {
    const { failure, checks } = await validateFake({
      model: ending(
        ids,
        'crashes',
        holds((id) => id === LEAST),
      ),
    });
    expect(failure).toMatchObject({ code: 'model-crashes', facts: { input: 'ids', rule: 'inputs.ids.min' } });
    expect(checkOf({ checks }, 'probes')).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('ids: the least INT64 (-9223372036854775808)'),
      advice: expect.stringContaining('`inputs.ids.min`'),
    });
  });

  test('is not tried where a rule excludes it', async () => {
    const model = ending(
      ids,
      'crashes',
      holds((id) => id < 0n),
    );
    const { validated } = await validateFake({ model, manifest: { inputs: { ids: { min: 0 } } } });
    expect(validated).toBeDefined();
  });

  test('is found in a pair of inputs: the least divided by -1', async () => {
    const model: FakeModel = {
      signature: two,
      answer: ([a, b]) => {
        const rows = rowsIn(a!).map(([x], at) => [x!, Number(b!.data[at])] as const);
        if (rows.some(([x, y]) => x === -(2 ** 63) && y === -1)) return 'crashes';
        return [
          fp32(
            'y',
            [rows.length, 1],
            rows.map(([x, y]) => x - y),
          ),
        ];
      },
    };
    const { failure } = await validateFake({ model });
    expect(failure).toMatchObject({ code: 'model-crashes', facts: { input: 'a' } });
    expect((failure as Error).message).toContain('beside -1 in b');
  });

  test('is found in text: empty, as long as allowed, beyond the basic plane', async () => {
    const length = (text: string) => (data: readonly Tensor[]) => (data[0]!.data as string[]).includes(text);
    const onText = (text: string): FakeModel => ({
      signature: texts,
      answer: (inputs) =>
        length(text)(inputs)
          ? 'crashes'
          : [
              fp32(
                'y',
                [inputs[0]!.shape[0]!, 1],
                (inputs[0]!.data as string[]).map((each) => each.length),
              ),
            ],
    });
    const maxLength = 50;
    const manifest = { inputs: { text: { maxLength } } };
    expect((await validateFake({ model: onText(''), manifest })).failure).toMatchObject({
      code: 'model-crashes',
      facts: { advice: expect.stringContaining('No rule of the manifest excludes this') },
    });
    for (const text of ['a'.repeat(maxLength), '\u{1F600}'.repeat(maxLength / 2)]) {
      const { failure } = await validateFake({ model: onText(text), manifest });
      expect(failure).toMatchObject({ code: 'model-crashes', facts: { rule: 'inputs.text.maxLength' } });
    }
  });
});

test('a value on which the model never ends refuses it, and says how long was waited', async () => {
  const model = ending(
    ids,
    'hangs',
    holds((id) => id > 1_000_000n),
  );
  const { failure } = await validateFake({ model, manifest: { timeoutMs: 2000 } });
  expect(failure).toMatchObject({ code: 'validation-timeout', facts: { input: 'ids', rule: 'inputs.ids.max' } });
  expect((failure as Error).message).toContain('2000 ms');
});

describe('a value that the model refuses cleanly', () => {
  test('is a warning with the bounds that would keep it out, found by trying', async () => {
    const model = ending(
      ids,
      'refuses',
      holds((id) => id > 8191n || id < -8192n),
    );
    const { validated } = await validateFake({ model });
    const { outcome, detail, advice } = checkOf(validated!.validation, 'probes')!;
    expect(outcome).toBe('warning');
    expect(detail).toContain('Gather node lookup');
    expect(detail).not.toContain('31337');
    expect(advice).toContain('`inputs.ids.min` to 0 and `inputs.ids.max` to 8191');
    expect(advice).toContain('-1 is silently taken for the last');
  });

  test('is excluded by a tighter max where min is set', async () => {
    const model = ending(
      ids,
      'refuses',
      holds((id) => id > 99n),
    );
    const { validated } = await validateFake({ model, manifest: { inputs: { ids: { min: 0, max: 1000 } } } });
    expect(checkOf(validated!.validation, 'probes')?.advice).toBe('Set `inputs.ids.max` to 99.');
  });

  test('because rows are too long is a warning with the longest that is answered', async () => {
    const model = ending(ids, 'refuses', ([input]) => input!.shape[1]! > 200);
    const { validated } = await validateFake({ model, manifest: { limits: { maxLength: 1000 } } });
    expect(checkOf(validated!.validation, 'probes')?.advice).toContain('Set `limits.maxLength` to 200.');
  });
});

test('NaN is a warning that names the input', async () => {
  const model: FakeModel = { answer: perRow(([x]) => Math.sqrt(x!)) };
  const { validated } = await validateFake({
    model,
    golden: [{ inputs: [fp32('x', [1, 1], [4])], outputs: [fp32('y', [1, 1], [2])] }],
  });
  expect(checkOf(validated!.validation, 'probes')).toMatchObject({
    outcome: 'warning',
    detail: expect.stringContaining('NaN is the answer to x = '),
    advice: expect.stringContaining('`inputs.x.min`'),
  });
});

test('a model too slow for all probes is told so, and taken', async () => {
  const model = { ...ending(ids, 'refuses', () => false), runMs: () => 900 };
  const { validated } = await validateFake({ model });
  expect(checkOf(validated!.validation, 'probes')?.detail).toMatch(/only \d+ probes were made in 12 s/);
});

describe('nothing is fed', () => {
  test('that the rules of the manifest exclude', async () => {
    const bound = fc.integer({ min: -1e6, max: 1e6 });
    await fc.assert(
      fc.asyncProperty(fc.tuple(bound, bound), fc.boolean(), fc.boolean(), async (bounds, hasMin, hasMax) => {
        const [min, max] = bounds[0] <= bounds[1] ? bounds : [bounds[1], bounds[0]];
        const rules = { ...(hasMin && { min }), ...(hasMax && { max }) };
        for (const signature of [ids, undefined]) {
          const name = signature === undefined ? 'x' : 'ids';
          const model: FakeModel = { ...(signature && { signature }), answer: perRow((row) => row[0]!) };
          const { runs } = await validateFake({
            model,
            manifest: { inputs: { [name]: rules }, limits: { maxLength: 4 }, mayBeConstant: true },
          });
          const values = runs
            .flatMap((inputs) => [...inputs[0]!.data].map(Number))
            .filter((value) => Number.isFinite(value));
          if (hasMin) expect(values.every((value) => value >= min)).toBe(true);
          if (hasMax) expect(values.every((value) => value <= max)).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('that is no text to the gateway, or longer than allowed', async () => {
    const model: FakeModel = {
      signature: texts,
      answer: ([text]) => [
        fp32(
          'y',
          [text!.shape[0]!, 1],
          (text!.data as string[]).map((each) => each.length),
        ),
      ],
    };
    const { runs } = await validateFake({ model, manifest: { inputs: { text: { maxLength: 7 } } } });
    const fed = runs.flatMap(([text]) => text!.data as string[]);
    expect(fed).toContain('');
    expect(fed.every((text) => text.length <= 7 && text.isWellFormed() && !text.includes('\0'))).toBe(true);
  });
});
