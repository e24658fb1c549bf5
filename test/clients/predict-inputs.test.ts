import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GivenInputs, readInputs } from '../../bin/predict-inputs.ts';
import type { ModelMetadata } from '../../clients/typescript/schema.ts';

type Inputs = ModelMetadata['inputs'];

const NUMBERS: Inputs = [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }];
const TEXT: Inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }];

const read = (given: GivenInputs, inputs: Inputs = NUMBERS) =>
  readInputs(given, async () => ({ name: 'm', versions: ['1'], platform: 'onnx_onnxv1', inputs, outputs: [] }));
const toX = async (json: string, inputs?: Inputs) => (await read({ input: [`x=${json}`] }, inputs)).inputs[0];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function fileWith(content: unknown): Promise<string> {
  const path = join(folder, 'request.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('texts', () => {
  test('go a row each to the only input, in its shape', async () => {
    const expected = { name: 'text', datatype: 'BYTES', shape: [2], data: ['a', 'b'] };
    expect(await read({ text: ['a', 'b'] }, TEXT)).toEqual({ inputs: [expected] });
    const column: Inputs = [{ ...TEXT[0]!, shape: [-1, 1] }];
    expect((await read({ text: ['a', 'b'] }, column)).inputs[0]?.shape).toEqual([2, 1]);
  });

  test('are refused by models that take anything else', async () => {
    await expect(read({ text: ['a'] })).rejects.toThrow('m takes x FP32 [-1, 4]: give them with --input name=json');
    await expect(read({ text: ['a'] }, [...TEXT, ...NUMBERS])).rejects.toThrow(
      'm takes text BYTES [-1], x FP32 [-1, 4]',
    );
  });
});

describe('JSON by name', () => {
  test('has the datatype of the model, and the shape of the array or, where that is flat, of the model', async () => {
    const two = { name: 'x', datatype: 'FP32', shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] };
    expect(await toX('[[1,2,3,4],[5,6,7,8]]')).toEqual(two);
    expect(await toX('[1,2,3,4,5,6,7,8]')).toEqual(two);
    expect(await toX('7', [{ name: 'x', datatype: 'INT64', shape: [-1] }])).toMatchObject({ shape: [1], data: [7] });
    const free: Inputs = [{ name: 'x', datatype: 'INT64', shape: [-1, -1] }];
    expect(await toX('[[1,2,3]]', free)).toMatchObject({ shape: [1, 3] });
    expect((await read({ input: ['text=["a=b"]'] }, TEXT)).inputs[0]?.data).toEqual(['a=b']);
  });

  test.each([
    ['y=[1]', 'There is no input y: the model takes x FP32 [-1, 4].'],
    ['x=[1,', '--input x: not JSON'],
    ['[1]', '--input is written name=json'],
    ['=[1]', '--input is written name=json'],
    ['x=[[1,2,3,4],[5]]', 'rows of different lengths'],
    ['x=[1,2,3]', 'do not fill'],
  ])('%s is refused', async (input, told) => {
    await expect(read({ input: [input] })).rejects.toThrow(told);
  });
});

describe('a file', () => {
  test('is sent as it is', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }];
    expect(await read({ file: await fileWith({ inputs }) })).toEqual({ inputs, outputs: undefined });
    const outputs = [{ name: 'label' }, { name: 'score' }];
    const both = await read({ file: await fileWith({ inputs, outputs }) });
    expect(both).toEqual({ inputs, outputs: ['label', 'score'] });
  });

  test.each([
    ['{"inputs":[', 'not JSON'],
    ['[]', 'holds no request'],
    ['null', 'holds no request'],
    ['{"inputs":[],"colour":"red"}', 'colour cannot be sent from here'],
  ])('with %s is refused', async (content, told) => {
    await expect(read({ file: await fileWith(content) })).rejects.toThrow(told);
  });
});

test.each<GivenInputs>([{}, { text: ['a'], input: ['x=1'] }, { text: ['a'], file: 'f' }])(
  'inputs are given in one way, not as %j',
  async (given) => {
    await expect(read(given)).rejects.toThrow('Give the inputs in one way');
  },
);
