import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readModel, writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxGraph, OnnxModel } from '../../adapters/onnx/graph/messages.ts';
import { boolTensor, graphBuilder, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import { sklearnClassifier } from '../../models/sklearn-classifier.ts';
import { SHARED_FOLDER } from '../models/golden-check.ts';
import { answer, floats, GraphFolder, loadProblem, texts } from '../support/graphs.ts';

let folder: GraphFolder;
beforeAll(() => {
  folder = new GraphFolder();
});
afterAll(() => folder.close());

const ROWS = { float_input: floats([1, 2, 3, 4, -1, 0, 2, 0.5], [2, 4]) };

test.each(['strings', 'int64s'] as const)('a ZipMap over %s is cut off and its numbers stay', async (labels) => {
  const prepared = await folder.prepare(sklearnClassifier({ labels, zipMap: true }));
  const classes = labels === 'strings' ? 'cancel, refund, upgrade' : '10, 20, 30';
  expect(prepared.repairs).toEqual([
    `cut off ZipMap, which makes maps: output_probability is FP32 [batch, 3] now, the numbers of the classes ${classes}, in this order`,
  ]);
  expect(await answer(prepared.path, ROWS)).toEqual(
    await answer(writeModel(sklearnClassifier({ labels, zipMap: false })), ROWS),
  );
  const session = await InferenceSession.create(prepared.path);
  expect(session.outputMetadata).toMatchObject([
    { name: 'output_label', shape: ['N'] },
    { name: 'output_probability', type: 'float32', shape: ['N', 3] },
  ]);
  await session.release();
  await prepared.discard();
});

test('a ZipMap is cut off where the file names no standard operators', async () => {
  const prepared = await folder.prepare(sklearnClassifier({ labels: 'strings', zipMap: true, mlOnly: true }));
  expect(Object.keys(await answer(prepared.path, ROWS))).toEqual(['output_label', 'output_probability']);
});

test('what a repair does not touch stays as it was, fields that nobody knows too', async () => {
  const unknown = Uint8Array.of(0xfa, 0x3f, 0x03, 1, 2, 3); // field 1023, three bytes
  const prepared = await folder.prepare(
    Buffer.concat([unknown, writeModel(sklearnClassifier({ labels: 'int64s', zipMap: true })), unknown]),
  );
  const bytes = readFileSync(prepared.path);
  expect(bytes.subarray(0, 6)).toEqual(Buffer.from(unknown));
  expect(bytes.subarray(-6)).toEqual(Buffer.from(unknown));
  const { graph } = readModel(bytes.subarray(6, -6));
  const original = sklearnClassifier({ labels: 'int64s', zipMap: true }).graph!;
  expect(graph!.node![0]).toEqual({ ...original.node![0], domain: 'ai.onnx.ml' });
  expect(graph!.input).toEqual(original.input);
  expect(graph!.output![0]).toEqual(original.output![0]);
  expect(graph!.node).toHaveLength(2);
});

test('a repaired file needs no second repair and is gone when it is discarded', async () => {
  const prepared = await folder.prepare(sklearnClassifier({ labels: 'strings', zipMap: true }));
  const again = await folder.prepare(readFileSync(prepared.path));
  expect(again.repairs).toEqual([]);
  expect(again.summary).toContain('Identity 1');
  await again.discard();
  await prepared.discard();
  await prepared.discard();
  expect(existsSync(prepared.path)).toBe(false);
});

test('a sound file is taken as it is', async () => {
  const prepared = await folder.prepare(sklearnClassifier({ labels: 'strings', zipMap: false }));
  expect(prepared.repairs).toEqual([]);
  expect(prepared.path.startsWith(folder.scratch)).toBe(false);
  await prepared.discard();
  expect(existsSync(prepared.path)).toBe(true);
  expect(prepared.summary).toBe(
    'opset 17 + ai.onnx.ml 3, one node (LinearClassifier 1), 15 parameters, exported by sluice',
  );
});

function sequence(parts: readonly string[]): OnnxModel {
  const builder = graphBuilder('sequence');
  for (const part of parts) builder.opTo([part], part === 'negated' ? 'Neg' : 'Abs', ['x']);
  builder.opTo(['y'], 'SequenceConstruct', parts);
  const dims = { dim: [{ dimParam: 'N' }] };
  const type = { sequenceType: { elemType: { tensorType: { elemType: 1, shape: dims } } } };
  return onnxModel(builder.graph([tensorValue('x', 'float', ['N'])], [{ name: 'y', type }]), { '': 17 }, '');
}

test('a sequence of tensors that are known one by one becomes these tensors', async () => {
  const one = await folder.prepare(sequence(['negated']));
  expect(await answer(one.path, { x: floats([1, -2], [2]) })).toEqual({ y: { dims: [2], data: [-1, 2] } });
  const two = await folder.prepare(sequence(['negated', 'absolute']));
  expect(await answer(two.path, { x: floats([1, -2], [2]) })).toEqual({
    y_0: { dims: [2], data: [-1, 2] },
    y_1: { dims: [2], data: [1, 2] },
  });
  expect(two.repairs[0]).toContain('are its tensors y_0 to y_1');
});

type Normalizer = { readonly locale?: string; readonly action?: string; readonly exact?: number };

function normalizer({ locale, action = 'LOWER', exact = 1 }: Normalizer): OnnxGraph {
  const builder = graphBuilder('text');
  builder.opTo(['y'], 'StringNormalizer', ['x'], {
    ...(locale !== undefined && { locale }),
    case_change_action: action,
    is_case_sensitive: exact,
    stopwords: ['the'],
  });
  return builder.graph([tensorValue('x', 'string', ['N'])], [tensorValue('y', 'string', ['M'])]);
}

const textModel = (options: Normalizer) => onnxModel(normalizer(options), { '': 17 }, '');

test.each([undefined, 'en_US.UTF-8', 'de_DE.UTF-8', ''])(
  'a StringNormalizer with the locale %s gets one that is there',
  async (locale) => {
    const prepared = await folder.prepare(textModel({ ...(locale !== undefined && { locale }) }));
    expect(prepared.repairs).toHaveLength(1);
    expect(prepared.repairs[0]).toContain('C.UTF-8');
    const { y } = await answer(prepared.path, { x: texts('the', 'ÉCOLE Straße ABC') });
    expect(y!.data).toEqual(['école straße abc']);
  },
);

test('rules for i that go with a locale are said to be lost', async () => {
  const { repairs } = await folder.prepare(textModel({ locale: 'tr_TR.UTF-8' }));
  expect(repairs[0]).toContain('which may change answers');
});

test.each<Normalizer>([{ locale: 'C' }, { locale: 'C.UTF-8' }, { locale: 'POSIX' }, { action: 'NONE' }])(
  'a StringNormalizer that works everywhere stays: %o',
  async (options) => {
    const { path, repairs } = await folder.prepare(textModel(options));
    expect(repairs).toEqual([]);
    expect(await answer(path, { x: texts('abc') })).toEqual({ y: { dims: [1], data: ['abc'] } });
  },
);

test('a StringNormalizer that compares stop words without case needs its locale', async () => {
  expect((await folder.prepare(textModel({ action: 'NONE', exact: 0 }))).repairs).toHaveLength(1);
});

test('a StringNormalizer in a branch of an If is mended, and every length around it', async () => {
  const builder = graphBuilder('outer');
  const branch = (name: string): OnnxGraph => {
    const inner = graphBuilder(name, `${name}_`);
    inner.opTo([`${name}_y`], 'StringNormalizer', ['x'], {
      case_change_action: 'LOWER',
      stopwords: Array.from({ length: 30 }, (_, at) => `w${at}`),
    });
    return inner.graph([], [tensorValue(`${name}_y`, 'string', ['M'])]);
  };
  builder.opTo(['y'], 'If', [builder.constant(boolTensor(true))], {
    then_branch: { graph: branch('a') },
    else_branch: { graph: branch('b') },
  });
  const model = onnxModel(
    builder.graph([tensorValue('x', 'string', ['N'])], [tensorValue('y', 'string', ['M'])]),
    { '': 17 },
    '',
  );
  expect(await loadProblem(model)).toContain('en_US');
  const prepared = await folder.prepare(model);
  expect(prepared.repairs).toHaveLength(2);
  expect((await answer(prepared.path, { x: texts('ÄB') })).y!.data).toEqual(['äb']);
});

test('functions of the model are operators that it has, and are mended too', async () => {
  const domain = 'pkg.of.ours';
  const name = `lower_${'long_'.repeat(60)}`;
  const lower = { ...normalizer({}).node![0]!, input: ['a'], output: ['b'] };
  const opsetImport = [{ domain: '', version: 17 }];
  const lowering = { name, domain, input: ['a'], output: ['b'], node: [lower], opsetImport };
  const builder = graphBuilder('caller');
  builder.opTo(['y'], name, ['x'], {}, domain);
  const graph = builder.graph([tensorValue('x', 'string', ['N'])], [tensorValue('y', 'string', ['M'])]);
  const prepared = await folder.prepare({ ...onnxModel(graph, { '': 17, [domain]: 1 }, ''), functions: [lowering] });
  expect(prepared.repairs).toHaveLength(1);
  expect((await answer(prepared.path, { x: texts('ÄB') })).y!.data).toEqual(['äb']);
});

const shared = join(SHARED_FOLDER, 'models');
const candidates = existsSync(shared) ? readdirSync(shared).map((name) => join(shared, name, 'model.onnx')) : [];
const withZipMap = candidates.filter((path) => readFileSync(path).includes('ZipMap'));
if (withZipMap.length === 0) console.warn(`no model in ${shared} has a ZipMap: only built ones are repaired here`);

test.each(withZipMap)('%s loads with its ZipMap cut off', async (path) => {
  const prepared = await folder.prepare(readFileSync(path));
  expect(prepared.repairs).toHaveLength(1);
  expect(await loadProblem(readFileSync(prepared.path))).toBeUndefined();
});

test.skipIf(candidates.length === 0).each(candidates)('%s is looked at without a complaint', async (path) => {
  expect((await folder.prepare(readFileSync(path))).summary).toMatch(/nodes? \(/);
});
