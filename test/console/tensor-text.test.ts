import { describe, expect, test } from 'vitest';
import { curlCommand } from '../../console/src/pages/models/curl-command.ts';
import { disagreement, exampleOf, readTensor, type TensorSpec } from '../../console/src/pages/models/tensor-text.ts';

const spec = (datatype: TensorSpec['datatype'], shape: TensorSpec['shape'], name = 'x'): TensorSpec => ({
  name,
  datatype,
  shape,
});
const read = (of: TensorSpec, text: string, linesAreRows = false) => {
  const found = readTensor(of, text, linesAreRows);
  return found.kind === 'tensor' ? found.tensor : found.says;
};

describe('an input as it was typed', () => {
  test('numbers are rows of a line each, or JSON arrays', () => {
    const expected = { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2.5, -3, 4e-3] };
    const of = spec('FP32', ['batch', 2]);
    expect(read(of, '1, 2.5\n-3;0.004\n')).toEqual(expected);
    expect(read(of, ' [[1, 2.5], [-3, 0.004]] ')).toEqual(expected);
    expect(read(of, '1\t2.5')).toMatchObject({ shape: [1, 2], data: [1, 2.5] });
  });

  test('a shape that only one way fills is filled, of any rank', () => {
    expect(read(spec('FP32', []), '7')).toMatchObject({ shape: [], data: [7] });
    expect(read(spec('FP32', ['n']), '1 2 3')).toMatchObject({ shape: [3] });
    expect(read(spec('FP32', ['batch', 2, 2]), '1 2\n3 4')).toMatchObject({ shape: [1, 2, 2] });
    expect(read(spec('FP32', ['batch', 'length']), '1 2 3')).toMatchObject({ shape: [1, 3] });
    expect(read(spec('FP32', [2, 2]), '1 2 3 4')).toMatchObject({ shape: [2, 2] });
  });

  test('what does not fit is told with both shapes', () => {
    expect(read(spec('FP32', ['batch', 4]), '1 2 3')).toBe('3 values in the shape [3] do not fit [batch, 4].');
    expect(read(spec('FP32', ['batch', '']), '1 2\n3')).toBe('Rows have different lengths.');
    expect(read(spec('FP32', ['batch', 2]), '[[1, 2], 3]')).toBe('Values stand beside rows.');
    expect(read(spec('FP32', ['batch', 2]), '[[1, null]]')).toBe('null is not a value.');
    expect(read(spec('FP32', ['batch', 2]), '[[1, 2]')).toMatch(/^Not JSON/);
    expect(read(spec('FP32', ['batch']), '1 two')).toBe('"two" is not a number.');
    expect(read(spec('INT64', ['batch']), '1.5')).toBe('"1.5" is not a whole number.');
    expect(read(spec('FP32', ['batch']), ' ')).toBe('Type values.');
  });

  test('whole numbers beyond what JSON holds stay exact', () => {
    expect(read(spec('INT64', ['n']), '9007199254740993 5')).toMatchObject({ data: ['9007199254740993', 5] });
  });

  test('truth is true, false, 1 or 0', () => {
    expect(read(spec('BOOL', ['n']), 'true 0 FALSE 1')).toMatchObject({ data: [true, false, false, true] });
    expect(read(spec('BOOL', ['n']), 'maybe')).toBe('"maybe" is neither true nor false.');
  });

  test('a text is one row with its lines, or a row a line', () => {
    const of = spec('BYTES', ['batch']);
    expect(read(of, 'a\nb')).toMatchObject({ shape: [1], data: ['a\nb'] });
    expect(read(of, 'a\n\nb\n', true)).toMatchObject({ shape: [2], data: ['a', 'b'] });
    expect(read(spec('BYTES', ['batch', 1]), 'a\nb', true)).toMatchObject({ shape: [2, 1], data: ['a', 'b'] });
    expect(read(of, '')).toBe('Type a text.');
    expect(read(of, '[1]')).toMatchObject({ data: ['[1]'] });
  });

  test('an example fits its own signature', () => {
    for (const of of [
      spec('FP32', ['batch', 4]),
      spec('INT64', [2, 'n', 3]),
      spec('BOOL', ['n']),
      spec('BYTES', ['batch']),
      spec('FP32', []),
    ])
      expect(readTensor(of, exampleOf(of), false).kind).toBe('tensor');
  });

  test('free dimensions of one name must be as long in every input', () => {
    const specs = [spec('FP32', ['batch', 4], 'a'), spec('FP32', ['batch'], 'b'), spec('FP32', [''], 'c')];
    expect(disagreement(specs, [[2, 4], [2], [9]])).toBeUndefined();
    expect(disagreement(specs, [[2, 4], [3], [9]])).toBe(
      'batch is 2 in another input and 3 in b: they must be the same',
    );
  });
});

describe('the command that sends the same', () => {
  test('quotes what a shell would read, and holds a placeholder for the key', () => {
    const inputs = [{ name: 'text', datatype: 'BYTES' as const, shape: [1], data: ["it's $HOME `id`"] }];
    const command = curlCommand('https://eu.example', { model: 'm', version: '3', inputs });
    expect(command).toContain("'https://eu.example/v2/models/m/versions/3/infer'");
    expect(command).toContain('"Authorization: Bearer $SLUICE_KEY"');
    expect(command).toContain(`"it'\\''s $HOME \`id\`"`);
  });
});
