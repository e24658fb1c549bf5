import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { InferRequest } from '../../core/inference/request.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { MOST_IDS } from '../../core/inference/token-tensors.ts';
import { compileTextValidator, compileTokenizing } from '../../core/inference/tokenize.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Signature, TensorSignature } from '../../core/models/signature.ts';
import { LONGEST_TEXT, publicSignature, tokenizerProblems } from '../../core/models/tokenized-signature.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Tokenizer } from '../../core/ports/tokenizers.ts';
import { expectFailure } from '../support/failures.ts';

const OPENING = 1;
const CLOSING = 2;

/** A token for each UTF-16 code unit between two special ones. */
const letters: Tokenizer = {
  encode: (text) => [OPENING, ...Array.from({ length: text.length }, (_, at) => 10 + text.charCodeAt(at)), CLOSING],
};

function input(name: string, datatype: TensorSignature['datatype'], ...shape: (number | string)[]): TensorSignature {
  return { name, datatype, shape };
}

const GRAPH: Signature = {
  inputs: [
    input('ids', 'INT64', 'batch', 'sequence'),
    input('mask', 'INT64', 'batch', 'sequence'),
    input('types', 'INT64', 'batch', 'sequence'),
  ],
  outputs: [input('y', 'FP32', 'batch', 4)],
};

const RULES = { ids: 'ids', mask: 'mask', typeIds: 'types' };

function manifestOf(tokenizer: object = {}, rest: object = {}) {
  return manifestSchema.parse({ name: 'm', tokenizer: { ...RULES, ...tokenizer }, ...rest });
}

function text(...data: string[]): Tensor {
  return { name: 'text', datatype: 'BYTES', shape: [data.length], data };
}

function numbers({ data }: Tensor): number[] {
  return Array.from(data as BigInt64Array, Number);
}

/** What comes of these texts, a tensor a name. */
function tokenize(texts: string[], manifest = manifestOf(), graph = GRAPH, tokenizer = letters) {
  const tensors = compileTokenizing(manifest, graph, tokenizer)([text(...texts)]);
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor]));
}

describe('texts become ids, mask and type ids', () => {
  it('of the length of the longest, the others filled up', () => {
    const { ids, mask, types } = tokenize(['ab', '', 'c'], manifestOf({}, { inputs: { ids: { pad: 7 } } }));
    expect([ids!.shape, mask!.shape, types!.shape]).toEqual(Array(3).fill([3, 4]));
    expect(numbers(ids!)).toEqual([1, 107, 108, 2, 1, 2, 7, 7, 1, 109, 2, 7]);
    expect(numbers(mask!)).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0]);
    expect(numbers(types!)).toEqual(Array(12).fill(0));
  });

  it('filled up with what the manifest says, below zero too', () => {
    const pads = { ids: { pad: -1 }, mask: { pad: -3 }, types: { pad: 5 } };
    const { ids, mask, types } = tokenize(['a', ''], manifestOf({}, { inputs: pads }));
    expect([ids!, mask!, types!].map(numbers)).toEqual([
      [1, 107, 2, 1, 2, -1],
      [1, 1, 1, 1, 1, -3],
      [0, 0, 0, 0, 0, 5],
    ]);
  });

  it('in the datatype that the graph takes', () => {
    const graph = { ...GRAPH, inputs: GRAPH.inputs.map((each) => ({ ...each, datatype: 'INT32' as const })) };
    const { ids, mask } = tokenize(['a', ''], manifestOf({}, { inputs: { ids: { pad: -1 } } }), graph);
    expect(ids).toEqual({ name: 'ids', datatype: 'INT32', shape: [2, 3], data: Int32Array.of(1, 107, 2, 1, 2, -1) });
    expect(mask!.data).toEqual(Int32Array.of(1, 1, 1, 1, 1, 0));
  });

  it('of the length that the graph fixes', () => {
    const graph = { ...GRAPH, inputs: GRAPH.inputs.map(({ name }) => input(name, 'INT64', 'batch', 6)) };
    expect(tokenize(['ab'], manifestOf({ maxTokens: 6 }), graph).ids).toMatchObject({ shape: [1, 6] });
    expect(numbers(tokenize(['ab'], manifestOf({ maxTokens: 6 }), graph).mask!)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('as the tokenizer gives them, whatever the texts', () => {
    const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 8 }), (texts) => {
        const { ids, mask } = tokenize(texts);
        const [rows, longest] = ids!.shape as [number, number];
        expect([rows, longest]).toEqual([texts.length, Math.max(...texts.map((each) => each.length)) + 2]);
        for (const [row, each] of texts.entries()) {
          const all = numbers(ids!).slice(row * longest, (row + 1) * longest);
          const kept = numbers(mask!).slice(row * longest, (row + 1) * longest);
          const count = each.length + 2;
          expect(all).toEqual([...letters.encode(each), ...Array(longest - count).fill(0)]);
          expect(kept).toEqual([...Array(count).fill(1), ...Array(longest - count).fill(0)]);
        }
      }),
    );
  });

  it('and leave other inputs as they are', () => {
    const age: Tensor = { name: 'age', datatype: 'FP32', shape: [1], data: Float32Array.of(42) };
    const tensors = compileTokenizing(manifestOf(), GRAPH, letters)([age, text('a')]);
    expect(tensors.map(({ name }) => name)).toEqual(['ids', 'mask', 'types', 'age']);
    expect(tensors[3]).toBe(age);
  });
});

describe('a text of too many tokens', () => {
  it('is cut, its closing token staying, and not a token sooner', () => {
    const manifest = manifestOf({ maxTokens: 5, longTexts: 'cut' });
    expect(numbers(tokenize(['abc'], manifest).ids!)).toEqual([1, 107, 108, 109, 2]);
    expect(numbers(tokenize(['abcd'], manifest).ids!)).toEqual([1, 107, 108, 109, 2]);
    expect(tokenize(['x'.repeat(10_000)], manifest).ids).toMatchObject({ shape: [1, 5] });
  });

  it('is cut at the end where no token closes it', () => {
    const plain = { encode: (each: string) => letters.encode(each).slice(1, -1) };
    expect(numbers(tokenize(['abc'], manifestOf({ maxTokens: 2, longTexts: 'cut' }), GRAPH, plain).ids!)).toEqual([
      107, 108,
    ]);
    const opened = { encode: (each: string) => letters.encode(each).slice(0, -1) };
    expect(numbers(tokenize(['abc'], manifestOf({ maxTokens: 2, longTexts: 'cut' }), GRAPH, opened).ids!)).toEqual([
      1, 107,
    ]);
  });

  it('is refused otherwise, named, and not a token sooner', () => {
    const manifest = manifestOf({ maxTokens: 5 });
    expect(tokenize(['abc'], manifest).ids).toMatchObject({ shape: [1, 5] });
    expectFailure(() => tokenize(['a', 'abcd'], manifest), 'input-too-large', {
      field: 'inputs[0].data',
      index: 1,
      limit: 5,
      got: 6,
    });
  });
});

describe('refused, naming the element, is', () => {
  it('a text that the tokenizer cannot take or that has no token', () => {
    const picky: Tokenizer = {
      encode(each) {
        if (each === '') throw new Failure('text-invalid', { detail: 'the text has no token' });
        return [107];
      },
    };
    const facts = { field: 'inputs[0].data', index: 1, detail: 'the text has no token' };
    expectFailure(() => tokenize(['a', ''], manifestOf(), GRAPH, picky), 'text-invalid', facts);
  });

  it('a token that the manifest leaves out', () => {
    const manifest = manifestOf({}, { inputs: { ids: { min: 0, max: 107 } } });
    expect(tokenize(['a'], manifest).ids).toMatchObject({ shape: [1, 3] });
    expectFailure(() => tokenize(['ab'], manifest), 'text-invalid', { index: 0 });
  });

  it('a request of more ids than a body could hold', () => {
    const manifest = manifestOf({ maxTokens: 8192 });
    const rows = MOST_IDS / 8192;
    const long = 'x'.repeat(8190);
    expect(tokenize([...Array(rows - 1).fill(''), long], manifest).ids).toMatchObject({ shape: [rows, 8192] });
    expectFailure(() => tokenize([...Array(rows).fill(''), long], manifest), 'input-too-large', {
      limit: MOST_IDS,
      got: MOST_IDS + 8192,
    });
  });

  it('a manifest that leaves no room for a text beside the special tokens', () => {
    expectFailure(() => compileTokenizing(manifestOf({ maxTokens: 2 }), GRAPH, letters), 'manifest-invalid', {
      problems: ['tokenizer.maxTokens: 2, but the tokenizer adds 2 to every text'],
    });
    expect(tokenize(['a'], manifestOf({ maxTokens: 3 })).ids).toMatchObject({ shape: [1, 3] });
  });
});

describe('a request to a version with a tokenizer', () => {
  const sleeps: number[] = [];
  const clock = {
    async sleep(ms: number) {
      sleeps.push(ms);
    },
  };
  const request = (...inputs: Tensor[]): InferRequest => ({
    clientId: undefined,
    inputs,
    outputs: undefined,
    binaryByDefault: false,
    timeoutMs: undefined,
  });
  const validatorOf = (manifest = manifestOf({ maxTokens: 500 })) => {
    const signature = publicSignature(GRAPH, manifest.tokenizer!);
    const version = { model: 'm', version: '1', signature, graphSignature: GRAPH, manifest } as ModelVersion;
    return compileTextValidator(version, letters, clock);
  };

  it('counts texts as rows and tokens as length, at once', () => {
    const checked = validatorOf()(request(text('abc', 'a')));
    expect(checked).not.toBeInstanceOf(Promise);
    expect(checked).toMatchObject({ rows: 2, length: 5, outputs: undefined });
  });

  it('is checked against what callers send: name, datatype, shape, rows and characters', () => {
    const validate = validatorOf(manifestOf({}, { inputs: { text: { maxLength: 3 } }, limits: { maxRows: 2 } }));
    expect(validate(request(text('abc', '')))).toMatchObject({ rows: 2 });
    expectFailure(() => validate(request(text('abcd'))), 'text-invalid', { index: 0, maxLength: 3 });
    expectFailure(() => validate(request(text('', '', ''))), 'input-too-large', { limit: 2, got: 3 });
    expectFailure(() => validate(request({ ...text('a'), name: 'ids' })), 'input-unknown', { known: ['text'] });
    expectFailure(() => validate(request({ ...text('a'), shape: [1, 1] })), 'shape-mismatch', { expected: '[-1]' });
    expectFailure(() => validate(request()), 'input-missing', { missing: ['text'] });
  });

  it('that is long has the same answer, others having turns meanwhile', async () => {
    const texts = Array.from({ length: 100 }, (_, at) => 'x'.repeat(at * 3));
    const validate = validatorOf();
    sleeps.length = 0;
    const checked = validate(request(text(...texts)));
    expect(checked).toBeInstanceOf(Promise);
    const { inputs, rows, length } = await checked;
    expect(inputs).toEqual(compileTokenizing(manifestOf({ maxTokens: 500 }), GRAPH, letters)([text(...texts)]));
    expect({ rows, length }).toEqual({ rows: 100, length: 299 });
    expect(sleeps).toEqual([0]);
  });

  it('that is long fails in the same way', async () => {
    const late = validatorOf(manifestOf({ maxTokens: 10 }))(request(text('abc', 'x'.repeat(9000))));
    await expect(late).rejects.toMatchObject({ code: 'input-too-large', facts: { index: 1 } });
  });
});

describe('the public signature', () => {
  it('has one text a row in place of ids, mask and type ids', () => {
    const graph = { ...GRAPH, inputs: [...GRAPH.inputs, input('age', 'FP32', 'batch')] };
    expect(publicSignature(graph, manifestOf({ input: 'review' }).tokenizer!)).toEqual({
      inputs: [input('review', 'BYTES', 'batch'), input('age', 'FP32', 'batch')],
      outputs: GRAPH.outputs,
    });
  });

  it('fits a graph that has what the manifest names', () => {
    expect(tokenizerProblems(manifestOf(), GRAPH)).toEqual([]);
    expect(tokenizerProblems(manifestSchema.parse({ name: 'm' }), GRAPH)).toEqual([]);
  });

  const graphOf = (...inputs: TensorSignature[]): Signature => ({ inputs, outputs: GRAPH.outputs });
  const [ids, mask, types] = GRAPH.inputs as [TensorSignature, TensorSignature, TensorSignature];
  it.each([
    ['no such input', {}, graphOf(ids, mask), /typeIds: the model has no input types; it has ids, mask/],
    ['another datatype', {}, graphOf({ ...ids, datatype: 'FP32' }, mask, types), /ids: ids takes FP32/],
    ['another rank', {}, graphOf(ids, input('mask', 'INT64', 'batch'), types), /mask: mask has 1 dimensions/],
    [
      'another shape',
      {},
      graphOf(ids, mask, input('types', 'INT64', 'batch', 'n')),
      /typeIds: types has another shape/,
    ],
    ['one input twice', { mask: 'ids' }, graphOf(ids, types), /name one input twice/],
    [
      'a name that is taken',
      { input: 'age' },
      graphOf(ids, mask, types, input('age', 'FP32', 'batch')),
      /input: .* age/,
    ],
    ['an input that nothing fills', { typeIds: undefined }, GRAPH, /nothing fills types/],
    ['more tokens than the graph has room for', { maxTokens: 9 }, graphOf(input('ids', 'INT64', 'b', 8)), /room for 8/],
  ])('has a problem with %s', (_, tokenizer, graph, problem) => {
    expect(tokenizerProblems(manifestOf(tokenizer), graph)).toContainEqual(expect.stringMatching(problem));
  });

  it('has a problem with limits that do not fit each other, at their edge', () => {
    const limits = { limits: { maxLength: 100 } };
    expect(tokenizerProblems(manifestOf({ maxTokens: 100 }, limits), GRAPH)).toEqual([]);
    expect(tokenizerProblems(manifestOf({ maxTokens: 101 }, limits), GRAPH)).toEqual([
      'tokenizer.maxTokens: 101 is above limits.maxLength, 100',
    ]);
    const ofLength = (maxLength: number) => manifestOf({}, { inputs: { text: { maxLength } } });
    expect(tokenizerProblems(ofLength(LONGEST_TEXT), GRAPH)).toEqual([]);
    expect(tokenizerProblems(ofLength(LONGEST_TEXT + 1), GRAPH)).toHaveLength(1);
  });
});
