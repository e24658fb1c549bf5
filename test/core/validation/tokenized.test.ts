import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/inference/tensor.ts';
import type { GoldenPair } from '../../../core/models/golden.ts';
import type { Signature } from '../../../core/models/signature.ts';
import { checkOf, type FakeModel, fp32, rowsIn, validateFake } from '../../support/fake-sandbox.ts';

const VOCABULARY = 64;
const MOST_TOKENS = 20;
const GRAPH: Signature = {
  inputs: [
    { name: 'input_ids', datatype: 'INT64', shape: ['batch', 'sequence'] },
    { name: 'attention_mask', datatype: 'INT64', shape: ['batch', 'sequence'] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 1] }],
};
const MANIFEST = {
  tokenizer: { mask: 'attention_mask', maxTokens: MOST_TOKENS },
  inputs: { input_ids: { pad: 0 }, attention_mask: { pad: 0 } },
  limits: { maxLength: 64 },
};
/** A token for each word, 1 before and 2 after them. */
const tokenizer = {
  encode: (text: string) => [1, ...text.split(' ').filter(Boolean).map(idOf), 2],
};

function idOf(word: string): number {
  return 3 + ([...word].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % (VOCABULARY - 3));
}

/** Sums the ids that the mask leaves, weighted by their place. */
function summing(how: (ids: Tensor, mask: Tensor) => 'crashes' | undefined = () => undefined): FakeModel {
  return {
    signature: GRAPH,
    answer: ([ids, mask]) => {
      const masks = rowsIn(mask!);
      const sums = rowsIn(ids!).map((row, r) =>
        row.reduce((sum, id, at) => sum + id * masks[r]![at]! * (1 + 0.1 * at), 0),
      );
      return how(ids!, mask!) ?? [fp32('y', [sums.length, 1], sums)];
    },
  };
}

function text(...data: string[]): Tensor {
  return { name: 'text', datatype: 'BYTES', shape: [data.length], data };
}

const pair = (words: string, y: number): GoldenPair => ({ inputs: [text(words)], outputs: [fp32('y', [1, 1], [y])] });

describe('a model behind a tokenizer', () => {
  test('has texts in, and both signatures are kept', async () => {
    const { validated } = await validateFake({ model: summing(), manifest: MANIFEST, tokenizer });
    expect(validated!.signature.inputs).toEqual([{ name: 'text', datatype: 'BYTES', shape: ['batch'] }]);
    expect(validated!.graphSignature).toEqual(GRAPH);
    expect(validated!.validation.batchMates.verdict).toBe('independent');
  });

  test('is held against golden texts', async () => {
    const y = 1 + idOf('hello') * 1.1 + 2 * 1.2;
    const good = await validateFake({ model: summing(), manifest: MANIFEST, tokenizer, golden: [pair('hello', y)] });
    expect(checkOf(good, 'golden')?.outcome).toBe('passed');
    const bad = await validateFake({ model: summing(), manifest: MANIFEST, tokenizer, golden: [pair('hello', y + 1)] });
    expect(bad.failure).toMatchObject({ code: 'golden-mismatch' });
    const ids = {
      inputs: [{ name: 'input_ids', datatype: 'INT64', shape: [1, 1], data: BigInt64Array.of(1n) }],
      outputs: pair('', 0).outputs,
    } as const;
    const unfit = await validateFake({ model: summing(), manifest: MANIFEST, tokenizer, golden: [ids] });
    expect(unfit.failure).toMatchObject({ code: 'golden-invalid' });
  });

  test('is fed nothing that its tokenizer cannot give', async () => {
    const { runs } = await validateFake({ model: summing(), manifest: MANIFEST, tokenizer });
    for (const [ids, mask] of runs) {
      expect([...(ids!.data as BigInt64Array)].every((id) => id >= 0n && id < VOCABULARY)).toBe(true);
      expect([...(mask!.data as BigInt64Array)].every((bit) => bit === 0n || bit === 1n)).toBe(true);
      expect(ids!.shape[1]).toBeLessThanOrEqual(MOST_TOKENS);
    }
    expect(runs.some(([ids]) => ids!.shape[1] === MOST_TOKENS)).toBe(true);
  });

  test('is refused for a crash on the longest text that fits, though it is not as long as maxLength allows', async () => {
    const model = summing((ids) => (ids.shape[1]! > 15 ? 'crashes' : undefined));
    const { failure } = await validateFake({ model, manifest: MANIFEST, tokenizer });
    expect(failure).toMatchObject({ code: 'model-crashes', facts: { input: 'text', rule: 'inputs.text.maxLength' } });
  });

  test('is refused without a tokenizer.json', async () => {
    const { failure } = await validateFake({ model: summing(), manifest: MANIFEST });
    expect(failure).toMatchObject({ code: 'tokenizer-invalid' });
  });
});
