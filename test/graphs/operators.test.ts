import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OnnxModel } from '../../adapters/onnx/graph/messages.ts';
import { NEWEST_IR_VERSION, RUNTIME_OPERATORS } from '../../adapters/onnx/graph/operators.ts';
import { graphBuilder, onnxModel, tensorValue } from '../../models/onnx/graph.ts';
import { GraphFolder, loadProblem } from '../support/graphs.ts';

let folder: GraphFolder;
beforeAll(() => {
  folder = new GraphFolder();
});
afterAll(() => folder.close());

type Operator = { readonly name: string; readonly domain?: string; readonly opset?: number };

function using({ name, domain = '', opset = 17 }: Operator, opsets?: Record<string, number>): OnnxModel {
  const builder = graphBuilder('one');
  builder.opTo(['y'], name, ['x'], {}, domain);
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [tensorValue('y', 'float', ['N'])]);
  return onnxModel(graph, opsets ?? (domain === '' ? { '': opset } : { '': 17, [domain]: opset }), '');
}

const UNREGISTERED = /No Op registered for|is not a registered function\/op/;

test('the runtime has every operator listed from the opset listed on, and not before', async () => {
  const wrong: string[] = [];
  for (const [domain, { since }] of Object.entries(RUNTIME_OPERATORS)) {
    for (const [opset, names] of since) {
      for (const name of names.split(' ')) {
        if (UNREGISTERED.test((await loadProblem(using({ name, domain, opset }))) ?? ''))
          wrong.push(`${name} ${opset}`);
        if (opset > 1 && !UNREGISTERED.test((await loadProblem(using({ name, domain, opset: opset - 1 }))) ?? '')) {
          wrong.push(`${name} ${opset - 1}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test('the list was made from the runtime that is installed: make it again for another', () => {
  expect(createRequire(import.meta.url)('onnxruntime-node/package.json')).toMatchObject({ version: '1.30.0' });
});

test.each<[string, OnnxModel, string]>([
  [
    'an unknown operator',
    using({ name: 'FancyAttention' }),
    'operator FancyAttention of the standard operators (ai.onnx): one node, the first named "y_node"',
  ],
  [
    'an unknown domain',
    using({ name: 'Fancy', domain: 'com.example', opset: 3 }),
    'operator Fancy of domain com.example (opset 3)',
  ],
  [
    'an extension',
    using({ name: 'BertTokenizer', domain: 'ai.onnx.contrib' }),
    'operator BertTokenizer of domain ai.onnx.contrib',
  ],
  [
    'an operator that is newer',
    using({ name: 'Gelu', opset: 17 }),
    'which has it from opset 20 on, in a model of opset 17',
  ],
  [
    'an opset that is newer',
    using({ name: 'Abs', opset: 27 }),
    'wants opset 27 of the standard operators (ai.onnx); this runtime has up to 26',
  ],
  ['a newer ml opset', using({ name: 'Normalizer', domain: 'ai.onnx.ml', opset: 6 }), 'wants opset 6 of ai.onnx.ml'],
  [
    'a newer format',
    { ...using({ name: 'Abs' }), irVersion: NEWEST_IR_VERSION + 1 },
    'version 14; this runtime reads up to 13',
  ],
])('%s is refused by name, and the runtime refuses it too', async (_, model, said) => {
  const failure = await folder.refusal(model);
  expect(failure.code).toBe('model-invalid');
  expect(failure.message).toContain(said);
  expect(await loadProblem(model)).toBeDefined();
});

test('all unknown operators are listed at once', async () => {
  const builder = graphBuilder('many');
  for (let at = 0; at < 8; at += 1) builder.opTo([`y${at}`], `Unknown${at}`, ['x']);
  const graph = builder.graph([tensorValue('x', 'float', ['N'])], [tensorValue('y0', 'float', ['N'])]);
  expect((await folder.refusal(onnxModel(graph, { '': 17 }, ''))).message).toMatch(
    /Unknown0 .*Unknown4 .*; and 3 more$/,
  );
});

test.each<[string, OnnxModel]>([
  ['the newest opset and format', { ...using({ name: 'Abs', opset: 26 }), irVersion: NEWEST_IR_VERSION }],
  ['an operator of the runtime', using({ name: 'FastGelu', domain: 'com.microsoft', opset: 1 })],
  ['ai.onnx written out', using({ name: 'Abs', domain: 'ai.onnx' }, { 'ai.onnx': 17 })],
  ['an operator that later opsets dropped', using({ name: 'Affine', opset: 7 })],
])('%s is left to the runtime, which takes it', async (_, model) => {
  expect(await loadProblem(model)).toBeUndefined();
  expect((await folder.prepare(model)).repairs).toEqual([]);
});
