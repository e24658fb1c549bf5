import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeField, writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxGraph, OnnxModel, OnnxTensor, OnnxType } from '../../adapters/onnx/graph/messages.ts';
import { boolTensor, floatTensor, graphBuilder, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import { sklearnClassifier } from '../../models/sklearn-classifier.ts';
import { GraphFolder, loadProblem } from '../support/graphs.ts';

let folder: GraphFolder;
beforeAll(() => {
  folder = new GraphFolder();
});
afterAll(() => folder.close());

const latin = (text: string) => Buffer.from(text, 'latin1');
const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 90405214\n';
const SAFETENSORS = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
const safetensors = Buffer.concat([Buffer.alloc(8, 0), Buffer.from(SAFETENSORS), Buffer.alloc(4)]);
safetensors.writeUInt32LE(SAFETENSORS.length, 0);

test.each<[string, Uint8Array | string, string]>([
  ['an empty file', '', 'the file is empty'],
  ['a Git LFS pointer', POINTER, 'a Git LFS pointer to a file of 90.4 MB'],
  ['a Git LFS pointer with CRLF', POINTER.replaceAll('\n', '\r\n'), 'a Git LFS pointer to a file of 90.4 MB'],
  ['a login page', '\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>', 'a web page ("Sign in")'],
  ['an XML error', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 'an XML document'],
  ['JSON', '{"error":"not found"}', 'looks like JSON'],
  ['an XGBoost model', '{"learner":{"gradient_booster":{}}}', 'an XGBoost model in JSON'],
  ['a LightGBM model', 'tree\nversion=v4\nnum_class=1\n', 'a LightGBM model'],
  ['text', 'model goes here', 'looks like text'],
  ['a PyTorch checkpoint', latin('PK\x03\x04\x00\x00\x08\x08archive/data.pkl'), 'a PyTorch checkpoint'],
  ['a zipped model', latin('PK\x03\x04\x14\x00model.onnx'), 'a zip archive with an .onnx file in it'],
  ['a zip archive', latin('PK\x03\x04\x14\x00readme'), 'a zip archive'],
  ['a pickle', latin('\x80\x04\x95\x10\x00sklearn.linear_model'), 'a Python pickle of sklearn'],
  ['safetensors', safetensors, 'a safetensors file'],
  ['a SavedModel', latin(`\x08\x01\x12\x90\x80\x01\x0a\x05serve${'x'.repeat(50)}\x00`), 'a TensorFlow model'],
  ['a frozen graph', latin('\x0a\x1a\x0a\x05input\x12\x0bPlaceholder\x00'), 'a TensorFlow model'],
  ['TensorFlow Lite', latin('\x1c\x00\x00\x00TFL3\x00'), 'a TensorFlow Lite model'],
  ['HDF5', latin('\x89HDF\r\n\x1a\n'), 'an HDF5 file'],
  ['ORT format', latin('\x1c\x00\x00\x00ORTM\x00'), 'a model in ORT format'],
  ['gzip', gzipSync(writeModel(sklearnClassifier({ labels: 'strings', zipMap: false }))), 'a gzip archive'],
  ['zeros', new Uint8Array(5000), 'zeros, as an interrupted copy leaves them'],
])('%s is recognized', async (_, bytes, said) => {
  const failure = await folder.refusal(bytes);
  expect(failure.code).toBe('model-invalid');
  expect(failure.message).toContain(said);
  expect(failure.facts.advice).toEqual(expect.any(String));
});

test('how much of a file is missing is said', async () => {
  const bytes = writeModel(sklearnClassifier({ labels: 'strings', zipMap: true }));
  const { message } = await folder.refusal(bytes.subarray(0, 400));
  expect(message).toMatch(/^the file is cut short: it has 400 bytes, and at least \d+ bytes are missing at its end$/);
});

test.each<[string, (model: OnnxModel) => OnnxModel, string]>([
  ['graph', ({ graph: _, ...model }) => model, 'it has no graph'],
  ['opset', ({ opsetImport: _, ...model }) => model, 'it names no opset'],
  ['nodes', (model) => ({ ...model, graph: { ...model.graph, node: [] } }), 'its graph has no nodes'],
  ['inputs', (model) => ({ ...model, graph: { ...model.graph, input: [] } }), 'its graph has no inputs'],
  ['outputs', (model) => ({ ...model, graph: { ...model.graph, output: [] } }), 'its graph has no outputs'],
])('a model without %s is no model', async (_, without, said) => {
  const failure = await folder.refusal(without(sklearnClassifier({ labels: 'strings', zipMap: false })));
  expect(failure.code).toBe('model-invalid');
  expect(failure.message).toContain(said);
});

function nested(depth: number): OnnxModel {
  const branch = (level: number): OnnxGraph => {
    const inner = graphBuilder(`g${level}`, `g${level}_`);
    const out = `g${level}_y`;
    if (level === depth) inner.opTo([out], 'Abs', ['x']);
    else
      inner.opTo([out], 'If', ['flag'], {
        then_branch: { graph: branch(level + 1) },
        else_branch: { graph: branch(depth) },
      });
    return inner.graph([], [tensorValue(out, 'float', ['N'])]);
  };
  const builder = graphBuilder('outer');
  const flag = { ...boolTensor(true), name: 'flag' };
  builder.opTo(['y'], 'If', ['flag'], { then_branch: { graph: branch(1) }, else_branch: { graph: branch(depth) } });
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [tensorValue('y', 'float', ['N'])]);
  return onnxModel({ ...graph, initializer: [flag] }, { '': 17 }, '');
}

test('graphs may be nested as deep as the runtime reads them, and no deeper', async () => {
  // Graph, three messages for every If, and five from there to a dimension of an output: 1 + 3 × 31 + 5 = 99 of 100.
  expect(await loadProblem(nested(31))).toBeUndefined();
  expect((await folder.prepare(nested(31))).summary).toContain('If 31');
  expect(await loadProblem(nested(34))).toBeDefined();
  expect((await folder.refusal(nested(34))).message).toContain('nested more than 100 deep');
});

function withWeights(weights: OnnxTensor): OnnxModel {
  const builder = graphBuilder('weights');
  builder.opTo(['y'], 'Mul', ['x', builder.constant(floatTensor([1], [2]), 'scale')]);
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [tensorValue('y', 'float', ['N'])]);
  return onnxModel({ ...graph, initializer: [...(graph.initializer ?? []), weights] }, { '': 17 }, '');
}

const external = (location: string): OnnxTensor => ({
  name: 'encoder.weight',
  dims: [1000, 1000],
  dataType: 1,
  dataLocation: 1,
  externalData: [
    { key: 'location', value: location },
    { key: 'length', value: '4000000' },
  ],
});

test.each([
  ['model.onnx.data', 'inside', 'beside the model in its folder'],
  ['sub/weights..bin', 'inside', 'beside the model'],
  ['../weights.bin', 'outside', 'outside of the pushed folder'],
  ['a/../../b', 'outside', 'outside of the pushed folder'],
  ['/etc/passwd', 'outside', 'outside of the pushed folder'],
  ['C:\\weights.bin', 'outside', 'outside of the pushed folder'],
])('weights in %s are refused as %s of the folder', async (location, place, said) => {
  const failure = await folder.refusal(withWeights(external(location)));
  expect(failure.code).toBe('model-external-data');
  expect(failure.facts).toMatchObject({ tensor: 'encoder.weight', location, place });
  expect(failure.message).toContain(said);
});

test('weights outside the file are found in attributes and subgraphs too', async () => {
  const builder = graphBuilder('outer');
  const inner = graphBuilder('inner', 'inner_');
  inner.opTo(['inner_y'], 'Identity', ['x']);
  const branch = { ...inner.graph([], [tensorValue('inner_y', 'float', ['N'])]), initializer: [external('w.bin')] };
  builder.opTo(['y'], 'If', [builder.constant(boolTensor(true))], {
    then_branch: { graph: branch },
    else_branch: { graph: branch },
  });
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [tensorValue('y', 'float', ['N'])]);
  expect((await folder.refusal(onnxModel(graph, { '': 17 }, ''))).message).toContain('and of one more tensor');
  const constant = { name: 'value', t: external('w.bin'), type: 4 };
  const node = [{ opType: 'Constant', output: ['c'], attribute: [constant] }, ...(graph.node ?? [])];
  const inAttribute = { ...graph, node: node.slice(0, 1) };
  expect((await folder.refusal(onnxModel(inAttribute, { '': 17 }, ''))).code).toBe('model-external-data');
});

const SEQUENCE: OnnxType = { sequenceType: { elemType: { tensorType: { elemType: 1 } } } };

test('an output that cannot be cut is named with its kind and the operator that makes it', async () => {
  const builder = graphBuilder('split');
  builder.opTo(['parts'], 'SplitToSequence', ['x']);
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [{ name: 'parts', type: SEQUENCE }]);
  const failure = await folder.refusal(onnxModel(graph, { '': 17 }, ''));
  expect(failure.code).toBe('model-output-unsupported');
  expect(failure.message).toBe(
    'the output parts is a sequence of tensors, and SplitToSequence makes it; only tensors can be answered',
  );
  expect(failure.facts.output).toBe('parts');
});

test('a ZipMap whose maps are used within the graph is not cut', async () => {
  const model = sklearnClassifier({ labels: 'strings', zipMap: true });
  const length = { input: ['output_probability'], output: ['count'], opType: 'SequenceLength' };
  const failure = await folder.refusal({ ...model, graph: { ...model.graph, node: [...model.graph!.node!, length] } });
  expect(failure.code).toBe('model-output-unsupported');
  expect(failure.message).toContain('a sequence of maps, and SequenceLength uses it too');
});

test('two outputs of one name are refused', async () => {
  const model = sklearnClassifier({ labels: 'strings', zipMap: true });
  const output = [...model.graph!.output!, model.graph!.output![1]!];
  const failure = await folder.refusal({ ...model, graph: { ...model.graph, output } });
  expect(failure.message).toContain('two outputs of one name');
});

test('an input that is a map is refused by name', async () => {
  const builder = graphBuilder('dict');
  builder.opTo(['y'], 'DictVectorizer', ['features'], { string_vocabulary: ['a'] }, 'ai.onnx.ml');
  const type = { mapType: { keyType: 8, valueType: { tensorType: { elemType: 1 } } } };
  const graph = builder.graph([], [tensorValue('y', 'float', ['N', 1])]);
  const failure = await folder.refusal(
    onnxModel({ ...graph, input: [{ name: 'features', type }] }, { '': 17, 'ai.onnx.ml': 3 }, ''),
  );
  expect(failure.code).toBe('model-invalid');
  expect(failure.message).toContain('features (a map)');
});

test('names that the file makes up come out short and without control characters', async () => {
  const name = `a\u0000\u001b[31m\n${'b'.repeat(2000)}`;
  const failure = await folder.refusal(withWeights({ ...external('w'), name }));
  expect(failure.facts.tensor).toMatch(/^a \[31m b{50,80}…$/);
});

test('a message of somebody else is refused, not taken for a model', async () => {
  // Fields 1 and 2 as a model has them, and nothing else that it has.
  const bytes = Buffer.concat([Uint8Array.of(0x08, 0x07), writeField(2, 'Opset', { domain: 'x', version: 3 })]);
  expect((await folder.refusal(bytes)).message).toContain('it has no graph');
});
