import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/inference/tensor.ts';
import { manifestSchema } from '../../../core/models/manifest.ts';
import type { Signature } from '../../../core/models/signature.ts';
import { CHARACTER_CLASSES, type InputProfile } from '../../../core/quality/input-profile.ts';
import { compileInputProfiler } from '../../../core/quality/profile-inputs.ts';

type Input = Signature['inputs'][number];
type Setup = { readonly manifest?: object; readonly graph?: Input[]; readonly most?: number };

const text: Input = { name: 'text', datatype: 'BYTES', shape: ['batch'] };
const features = (...shape: (number | string)[]): Input => ({ name: 'x', datatype: 'FP32', shape });
const texts = (...data: string[]): Tensor => ({ name: 'text', datatype: 'BYTES', shape: [data.length], data });
const floats = (shape: number[], ...data: number[]): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape,
  data: Float32Array.from(data),
});

function profile(inputs: Input[], tensors: Tensor[], { manifest, graph, most = 64 }: Setup = {}) {
  const signature = { inputs, outputs: [] };
  const profiler = compileInputProfiler({
    signature,
    graphSignature: graph && { inputs: graph, outputs: [] },
    manifest: manifestSchema.parse({ name: 'm', ...manifest }),
  });
  const into = new Map<string, InputProfile>();
  profiler(tensors, tensors[0]!.shape[0] ?? 1, most, into);
  return into;
}

const classesOf = ({ classes }: InputProfile) =>
  Object.fromEntries(CHARACTER_CLASSES.map((name, at) => [name, classes![at]]).filter(([, count]) => count !== 0));

describe('profiles of inputs', () => {
  test('count the characters of text by class, its length, and what is empty or as long as is accepted', () => {
    const rows = ['Größe 12', 'при', '👍🏽', '?!\t', '', '  ', '漢字\u0000', '0123456789'];
    const found = profile([text], [texts(...rows)], { manifest: { inputs: { text: { maxLength: 10 } } } }).get('text')!;
    expect([found.rows, found.missing, found.tooLong]).toEqual([8, 2, 1]);
    expect([found.lengths!.count, found.lengths!.sum]).toEqual([8, rows.join('').length]);
    expect(classesOf(found)).toEqual({
      latin: 5,
      'other-letters': 5,
      digits: 12,
      spaces: 4,
      punctuation: 2,
      symbols: 2,
      other: 1,
    });
  });

  test('look at no more rows than they are told, and no more than 500 characters of one', () => {
    const found = profile([text], [texts('a'.repeat(2000), 'b', 'c')], { most: 2 }).get('text')!;
    expect([found.rows, found.lengths!.count, found.lengths!.sum]).toEqual([2, 2, 2001]);
    expect(classesOf(found)).toEqual({ latin: 501 });
  });

  test('tell the columns of a few fixed numbers apart', () => {
    const found = profile([features('batch', 2)], [floats([3, 2], 1, -10, 2, Number.NaN, 3, -30)]);
    expect([...found.keys()]).toEqual(['x[0]', 'x[1]']);
    expect(found.get('x[0]')!.values!.sum).toBe(6);
    expect(found.get('x[0]')!.values!.quantile(1)).toBeCloseTo(3, 0);
    expect(found.get('x[1]')!.values!.sum).toBe(-40);
    expect([found.get('x[0]')!.missing, found.get('x[1]')!.missing, found.get('x[1]')!.rows]).toEqual([0, 1, 3]);
  });

  test('take many or any number of columns together, 32 elements of a row at the most', () => {
    const wide = profile([features('batch', 64)], [floats([2, 64], ...new Array(128).fill(1))]);
    expect([wide.get('x')!.rows, wide.get('x')!.values!.count]).toEqual([2, 64]);
    const free = profile([features('batch', 'length')], [floats([1, 4], 1, 2, 3, 4)], {
      manifest: { limits: { maxLength: 4 } },
    });
    expect([free.get('x')!.values!.count, free.get('x')!.tooLong]).toEqual([4, 1]);
    const scalar = profile([features('batch')], [floats([3], 1, 2, 3)]);
    expect(scalar.get('x')!.values!.count).toBe(3);
  });

  test('count tokens where a tokenizer made ids of a text, and none of the ids', () => {
    const ids = (name: string): Input => ({ name, datatype: 'INT64', shape: ['batch', 'length'] });
    const numbers = (name: string, ...data: bigint[]): Tensor => ({
      name,
      datatype: 'INT64',
      shape: [2, 3],
      data: BigInt64Array.from(data),
    });
    const tokenizer = { ids: 'ids', mask: 'mask', maxTokens: 3, longTexts: 'cut' };
    const found = profile([text], [numbers('ids', 5n, 6n, 7n, 8n, 9n, 0n), numbers('mask', 1n, 1n, 1n, 1n, 1n, 0n)], {
      manifest: { tokenizer },
      graph: [ids('ids'), ids('mask')],
    });
    expect([...found.keys()]).toEqual(['text']);
    const { rows, lengths, tooLong, values } = found.get('text')!;
    expect([rows, lengths!.sum, tooLong, values]).toEqual([2, 5, 1, undefined]);
  });

  test('are sixteen at the most, the first of the signature', () => {
    const inputs = Array.from(
      { length: 20 },
      (_, at): Input => ({ name: `i${at}`, datatype: 'FP32', shape: ['batch'] }),
    );
    const tensors = inputs.map(({ name }): Tensor => ({ ...floats([1], 1), name }));
    expect([...profile(inputs, tensors).keys()]).toEqual(inputs.slice(0, 16).map(({ name }) => name));
  });
});
