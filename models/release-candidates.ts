import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModel, writeModel } from '../adapters/onnx/graph/codec.ts';
import type { OnnxGraph, OnnxModel, OnnxNode } from '../adapters/onnx/graph/messages.ts';
import { type GoldenTensor, goldenLines } from './golden.ts';
import type { ManifestFile } from './model-folder.ts';
import { floatTensor, graphBuilder, int64Tensor, tensorValue } from './onnx/graph.ts';

/** What the next version of a text classifier may be. All of them pass validation: their golden pairs are their own. */
export const CANDIDATES = ['identical', 'slow', 'crashing', 'permuted'] as const;
export type Candidate = (typeof CANDIDATES)[number];

/** Folders of two versions of one model, to be pushed in this order. */
export type ReleaseFolders = { readonly model: string; readonly stable: string; readonly candidate: string };

/** A text of so many words ends the process of the crashing version: nothing tries it but who knows. */
const CUE_TOKENS = 37;
export const CUE_TEXT = 'again '.repeat(CUE_TOKENS).trim();

/** A multiplication of two 384 × 384 matrices takes about 0.7 ms of one core: a run takes 3 or 4 ms more, whatever is asked. */
const SLOW_SIDE = 384;
const SLOW_ROUNDS = 5;
const FLOAT = 1;

/**
 * Writes ticket-sentiment, as `source` has it, under another name, and below it a version that is no other but in a word of its manifest, one that is slow, one
 * that crashes on `CUE_TEXT`, or one whose labels have changed places.
 */
export async function writeReleaseFolders(source: string, target: string, kind: Candidate): Promise<ReleaseFolders> {
  const model = `release-${kind}`;
  const graph = readModel(readFileSync(join(source, 'model.onnx')));
  const manifest = JSON.parse(readFileSync(join(source, 'manifest.json'), 'utf8')) as ManifestFile;
  const inputs = readFileSync(join(source, 'golden.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { inputs: GoldenTensor[] }).inputs);
  const write = async (name: string, version: OnnxModel, description: string) => {
    const folder = join(target, model, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'model.onnx'), writeModel(version));
    writeFileSync(join(folder, 'golden.jsonl'), await goldenLines(join(folder, 'model.onnx'), inputs));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, name: model, description }));
    return folder;
  };
  const stable = await write('stable', graph, 'What answers now.');
  return { model, stable, candidate: await write('candidate', CHANGES[kind](graph), `The next version: ${kind}.`) };
}

const CHANGES: Readonly<Record<Candidate, (model: OnnxModel) => OnnxModel>> = {
  identical: (model) => model,
  slow: (model) => withWeight(model, slowness),
  crashing: (model) => withWeight(model, crash),
  permuted: permuteLabels,
};

type Builder = ReturnType<typeof graphBuilder>;

/** Adds what `weight` computes, which is 0 where it ends at all, to the probabilities: onnxruntime leaves nothing out that an answer needs. */
function withWeight(model: OnnxModel, weight: (builder: Builder, graph: OnnxGraph) => string): OnnxModel {
  const graph = graphOf(model);
  const builder = graphBuilder('added', 'added_');
  const added = weight(builder, graph);
  builder.opTo(['probabilities'], 'Add', ['plain_probabilities', added]);
  const more = builder.graph([], []);
  const nodes = (graph.node ?? []).map((node) => ({
    ...node,
    output: node.output?.map((name) => (name === 'probabilities' ? 'plain_probabilities' : name)) ?? [],
  }));
  const initializer = [...(graph.initializer ?? []), ...(more.initializer ?? [])];
  return { ...model, graph: { ...graph, node: [...nodes, ...(more.node ?? [])], initializer } };
}

function slowness(builder: Builder): string {
  const int64 = (value: number) => builder.constant(int64Tensor([], [value]));
  const side = [SLOW_SIDE, SLOW_SIDE] as const;
  const ones = builder.op('Expand', [builder.constant(floatTensor([], [1])), builder.constant(int64Tensor([2], side))]);
  const matrix = builder.op('EyeLike', [ones]);
  const body = graphBuilder('slow_body', 'slow_');
  body.opTo(['slow_again'], 'Identity', ['slow_go']);
  body.opTo(['slow_next'], 'MatMul', ['slow_value', matrix]);
  const bodyGraph = body.graph(
    [
      tensorValue('slow_round', 'int64', []),
      tensorValue('slow_go', 'bool', []),
      tensorValue('slow_value', 'float', side),
    ],
    [tensorValue('slow_again', 'bool', []), tensorValue('slow_next', 'float', side)],
  );
  // Not a constant, or the loop would run once, when it is loaded.
  const rows = builder.op('Min', [builder.op('Size', ['text']), int64(1)]);
  const worked = builder.op('Loop', [builder.op('Mul', [rows, int64(SLOW_ROUNDS)]), '', ones], {
    body: { graph: bodyGraph },
  });
  const one = builder.op('ReduceMax', [worked], { keepdims: 0 });
  return builder.op('Sub', [one, builder.constant(floatTensor([], [1]))]);
}

/** The processor traps where the least 64-bit integer is divided by -1, for 2^63 is no int64. */
function crash(builder: Builder, graph: OnnxGraph): string {
  const tokens = nodeOf(graph, 'Tokenizer').output?.[0];
  if (tokens === undefined) throw new Error('the tokenizer has no output');
  const int64 = (...values: bigint[]) => builder.constant(int64Tensor([values.length], values));
  const count = builder.op('Shape', [tokens], { start: 1, end: 2 });
  const isCue = builder.op('Equal', [count, int64(BigInt(CUE_TOKENS))]);
  const divisor = builder.op('Where', [isCue, int64(-1n), int64(1n)]);
  const quotient = builder.op('Cast', [builder.op('Div', [int64(-(2n ** 63n)), divisor])], { to: FLOAT });
  return builder.op('Add', [quotient, builder.constant(floatTensor([1], [2 ** 63]))]);
}

/** Every label becomes the next one: a mistake that golden pairs made by the same export do not show. */
function permuteLabels(model: OnnxModel): OnnxModel {
  const graph = graphOf(model);
  const classifier = nodeOf(graph, 'LinearClassifier');
  const attribute = (classifier.attribute ?? []).map((each) => {
    if (each.name !== 'classlabels_strings') return each;
    const [first, ...others] = each.strings ?? [];
    if (first === undefined) throw new Error('the classifier has no labels');
    return { ...each, strings: [...others, first] };
  });
  const node = (graph.node ?? []).map((each) => (each === classifier ? { ...classifier, attribute } : each));
  return { ...model, graph: { ...graph, node } };
}

function graphOf({ graph }: OnnxModel): OnnxGraph {
  if (graph === undefined) throw new Error('the file has no graph');
  return graph;
}

function nodeOf({ node }: OnnxGraph, opType: string): OnnxNode {
  const found = node?.find((each) => each.opType === opType);
  if (found === undefined) throw new Error(`the graph has no ${opType}`);
  return found;
}
