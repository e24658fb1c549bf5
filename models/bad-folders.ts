import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../adapters/onnx/graph/codec.ts';
import type { FailureCode } from '../core/failure.ts';
import {
  coarseSumModel,
  constantModel,
  crashingModel,
  endlessModel,
  externalDataModel,
  sequenceModel,
  sumModel,
  unknownOperatorModel,
} from './bad-graphs.ts';
import { type GoldenTensor, goldenLines } from './golden.ts';
import type { ManifestFile } from './model-folder.ts';
import { sklearnClassifier } from './sklearn-classifier.ts';

/** A folder that can be pushed, and what becomes of it. */
export type BadFolder = {
  readonly name: string;
  readonly folder: string;
  /** The code that the push ends with. */
  readonly expected: 'accepted' | FailureCode;
  /** What is wrong with it, in a sentence. */
  readonly why: string;
};

type Pair = { readonly inputs: readonly GoldenTensor[]; readonly outputs: readonly GoldenTensor[] };

type Recipe = Omit<BadFolder, 'folder'> & {
  readonly model: Uint8Array;
  /** Without name. */
  readonly manifest?: Omit<ManifestFile, 'name'>;
  readonly golden: readonly Pair[];
};

function floats(name: string, shape: readonly number[], data: readonly number[]): GoldenTensor {
  return { name, shape, datatype: 'FP32', data };
}

const sums = (
  rows: readonly (readonly [number, number, number, number])[],
  answer: (sum: number) => number = (sum) => sum,
): Pair[] =>
  rows.map((row) => ({
    inputs: [floats('x', [1, 4], row)],
    outputs: [floats('y', [1, 1], [answer(row[0] + row[1] + row[2] + row[3])])],
  }));

const ROWS = [
  [1, 2, 3, 4],
  [-1, 0, 0.5, 2],
  [8, -8, 4, -2],
] as const;
const NEGATIVE_ROWS = [
  [-1, -2, -3, -4],
  [-5, 0, 0.5, 2],
] as const;

const SUM = writeModel(sumModel());

/** What `git clone` leaves where Git LFS is not installed. */
const POINTER = [
  'version https://git-lfs.github.com/spec/v1',
  `oid sha256:${createHash('sha256').update('a model').digest('hex')}`,
  'size 90405214',
  '',
].join('\n');

const RECIPES: readonly Recipe[] = [
  {
    name: 'bad-truncated',
    expected: 'model-invalid',
    why: 'The copy ended early: the last third of the file is missing.',
    model: SUM.subarray(0, Math.floor((SUM.length * 2) / 3)),
    golden: sums(ROWS),
  },
  {
    name: 'bad-lfs-pointer',
    expected: 'model-invalid',
    why: 'Git LFS was not installed where it was checked out: the file is a pointer.',
    model: Buffer.from(POINTER),
    golden: sums(ROWS),
  },
  {
    name: 'bad-constant',
    expected: 'model-constant',
    why: 'The export lost the weights: every input gets the same answer, and the golden pairs were made with it.',
    model: writeModel(constantModel()),
    golden: sums(ROWS, () => 0.5),
  },
  {
    name: 'bad-golden',
    expected: 'golden-mismatch',
    why: 'The golden pairs are of the version before, which answered one more.',
    model: SUM,
    golden: sums(ROWS, (sum) => sum + 1),
  },
  {
    name: 'bad-crash',
    expected: 'model-crashes',
    why: 'It divides the least 64-bit integer by its input: -1, which the manifest allows, ends the process.',
    model: writeModel(crashingModel()),
    golden: [
      {
        inputs: [{ name: 'n', shape: [2], datatype: 'INT64', data: [2, 4] }],
        outputs: [floats('y', [2], [-(2 ** 62), -(2 ** 61)])],
      },
    ],
  },
  {
    name: 'bad-endless',
    expected: 'validation-timeout',
    why: 'It meets its golden pairs, and for other rows its loop never ends.',
    model: writeModel(endlessModel()),
    manifest: { timeoutMs: 500 },
    golden: sums(NEGATIVE_ROWS),
  },
  {
    name: 'bad-external-data',
    expected: 'model-external-data',
    why: 'Its weights are said to lie outside of its folder, where those of others might be.',
    model: writeModel(externalDataModel('../another-tenant/weights.bin')),
    golden: sums(ROWS),
  },
  {
    name: 'bad-operator',
    expected: 'model-invalid',
    why: 'It uses an operator of a library that is not loaded here.',
    model: writeModel(unknownOperatorModel()),
    golden: sums(ROWS),
  },
  {
    name: 'bad-sequence',
    expected: 'model-output-unsupported',
    why: 'It answers with a sequence of as many tensors as there are rows.',
    model: writeModel(sequenceModel()),
    golden: [],
  },
  {
    name: 'bad-manifest',
    expected: 'manifest-invalid',
    why: 'Its manifest has a rule for an input that the graph does not have.',
    model: SUM,
    manifest: { inputs: { text: { maxLength: 100 } } },
    golden: sums(ROWS),
  },
  {
    name: 'odd-batch-mates',
    expected: 'accepted',
    why: 'It rounds over the whole run, and NaN in one row spreads to the others: rows of two tenants never share a run.',
    model: writeModel(coarseSumModel()),
    manifest: { inputs: { x: { allowNotFinite: true } } },
    golden: [{ inputs: [floats('x', [1, 4], [7, 2, 3, 4])], outputs: [floats('y', [1, 1], [16])] }],
  },
];

const CLASSIFIED = [floats('float_input', [2, 4], [1, 2, 3, 4, -1, 0, 2, 0.5])];

/**
 * Writes these folders below `target`, to be pushed as they are: `bad-…` are refused, and
 * `odd-…` are accepted: one is never batched across tenants, one is repaired.
 */
export async function writeBadFolders(target: string): Promise<readonly BadFolder[]> {
  const folders = RECIPES.map(({ name, expected, why, ...files }) => {
    const folder = join(target, name);
    const golden = files.golden.map((pair) => `${JSON.stringify(pair)}\n`).join('');
    writeFolder(folder, files.model, { ...files.manifest, name }, golden);
    return { name, folder, expected, why };
  });
  return [...folders, await writeZipMapFolder(target)];
}

function writeFolder(folder: string, model: Uint8Array, manifest: ManifestFile, golden: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), model);
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  if (golden !== '') writeFileSync(join(folder, 'golden.jsonl'), golden);
}

/** Its golden pair has plain numbers where the ZipMap makes maps: what the same model answers without it. */
async function writeZipMapFolder(target: string): Promise<BadFolder> {
  const name = 'odd-zipmap';
  const folder = join(target, name);
  const modelOf = (zipMap: boolean) => writeModel(sklearnClassifier({ labels: 'strings', zipMap }));
  writeFolder(folder, modelOf(false), { name }, '');
  const golden = await goldenLines(join(folder, 'model.onnx'), [CLASSIFIED]);
  writeFolder(folder, modelOf(true), { name }, golden);
  const why = 'scikit-learn exports maps from class to probability: the node that makes them is cut off.';
  return { name, folder, expected: 'accepted', why };
}
