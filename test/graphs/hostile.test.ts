import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel, writeVarint } from '../../adapters/onnx/graph/codec.ts';
import { createGraphs } from '../../adapters/onnx/graphs.ts';
import { Failure } from '../../core/failure.ts';
import { MIB } from '../../core/units.ts';
import { sklearnClassifier } from '../../models/sklearn-classifier.ts';
import { GraphFolder } from '../support/graphs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SENTIMENT = readFileSync(join(ROOT, 'models', 'ticket-sentiment', 'model.onnx'));

let folder: GraphFolder;
beforeAll(() => {
  folder = new GraphFolder();
});
afterAll(() => folder.close());

const CODES = ['model-invalid', 'model-external-data', 'model-output-unsupported'];

/** How preparing these bytes ends: `prepared` or a failure's code. Anything else that is thrown is thrown. */
async function endOf(path: string): Promise<string> {
  try {
    const prepared = await createGraphs(folder.scratch).prepare(path);
    await prepared.discard();
    return 'prepared';
  } catch (error) {
    if (error instanceof Failure && CODES.includes(error.code)) return error.code;
    throw error;
  }
}

/** A trained model, and two whose outputs are repaired. */
const SEEDS = [
  SENTIMENT,
  Buffer.from(writeModel(sklearnClassifier({ labels: 'strings', zipMap: true }))),
  Buffer.from(writeModel(sklearnClassifier({ labels: 'int64s', zipMap: true, mlOnly: true }))),
];

const flips = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 255 })),
  {
    minLength: 1,
    maxLength: 8,
  },
);

test('a file with flipped bytes, cut short or filled with noise is prepared or refused, nothing else', async () => {
  const path = join(folder.path, 'flipped.onnx');
  const ends: Record<string, number> = {};
  const before = process.resourceUsage().maxRSS;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...SEEDS),
      flips,
      fc.double({ min: 0.2, max: 4, noNaN: true }),
      async (seed, places, share) => {
        const bytes = Buffer.from(seed.subarray(0, Math.ceil(seed.length * share)));
        // Half of the flips among the first kilobyte, where structure is.
        for (const [at, [place, mask]] of places.entries()) {
          const index = Math.floor(place * (at % 2 === 0 ? Math.min(1024, bytes.length) : bytes.length));
          bytes[index]! ^= mask;
        }
        writeFileSync(path, bytes);
        const end = await endOf(path);
        ends[end] = (ends[end] ?? 0) + 1;
      },
    ),
    { numRuns: 3000, endOnFailure: true },
  );
  // Over all runs together, what this test itself leaves to be collected included.
  expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(64 * MIB);
  // Both ways out were taken, or the flips proved nothing.
  expect(ends.prepared).toBeGreaterThan(100);
  expect(ends['model-invalid']).toBeGreaterThan(500);
}, 30_000);

test('noise is refused', async () => {
  const path = join(folder.path, 'noise.onnx');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      writeFileSync(path, bytes);
      expect(await endOf(path)).toBe('model-invalid');
    }),
    { numRuns: 500 },
  );
});

/** Tag and length of a field. */
function field(number: number, length: number): Buffer {
  return Buffer.concat([writeVarint(number * 8 + 2), writeVarint(length)]);
}

/** Writes `head`, then `bytes` of `filling` again and again. */
function writeFilled(name: string, head: Uint8Array, filling: Uint8Array, bytes: number): string {
  const path = join(folder.path, name);
  const file = openSync(path, 'w');
  writeSync(file, head);
  const block = Buffer.alloc(Math.floor(MIB / filling.length) * filling.length, filling);
  for (let written = 0; written < bytes; written += block.length) {
    writeSync(file, block, 0, Math.min(block.length, bytes - written));
  }
  closeSync(file);
  return path;
}

const MEASURE = `
  import { createGraphs } from ${JSON.stringify(join(ROOT, 'adapters', 'onnx', 'graphs.ts'))};
  const prepare = (path) => createGraphs().prepare(path).then((p) => p.summary, (error) => error.code ?? String(error));
  await prepare(process.argv[1]);
  const before = process.resourceUsage().maxRSS;
  const startMs = performance.now();
  const end = await prepare(process.argv[2]);
  console.log(JSON.stringify({ end, grownBytes: (process.resourceUsage().maxRSS - before) * 1024, tookMs: performance.now() - startMs }));`;

/** Prepares a file in a process of its own, after a small one, and says how much its memory grew at the most. */
function measure(path: string): { end: string; grownBytes: number; tookMs: number } {
  const small = folder.write(sklearnClassifier({ labels: 'strings', zipMap: false }));
  const args = ['--input-type=module', '-e', MEASURE, small, path];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 });
  if (stdout === '') throw new Error(`ended early: ${stderr}`);
  return JSON.parse(stdout);
}

const MANY = 24 * MIB;

/** Each is one field after another of the fewest bytes, in a place where a careless reader keeps them all. */
test.each<[string, number[], Uint8Array]>([
  ['nodes', [7], Uint8Array.of(0x0a, 0)],
  ['attributes of a node', [7, 1], Uint8Array.of(0x2a, 0)],
  ['inputs', [7], Uint8Array.of(0x5a, 0)],
  ['outputs', [7], Uint8Array.of(0x62, 0)],
  ['initializers', [7], Uint8Array.of(0x2a, 0)],
  ['dimensions of a tensor', [7, 5], Uint8Array.of(0x08, 1)],
  ['numbers of an attribute', [7, 1, 5], Uint8Array.of(0x3d, 0, 0, 0, 0)],
  ['opsets', [], Uint8Array.of(0x42, 0)],
  ['functions', [], Uint8Array.of(0xca, 0x01, 0)],
  ['different operators', [7], Uint8Array.from([...'abcdefgh'].flatMap((c) => [0x0a, 3, 0x22, 1, c.charCodeAt(0)]))],
])(
  'a file full of %s takes little memory and ends',
  (name, around, filling) => {
    const bytes = Math.floor(MANY / filling.length) * filling.length;
    let length = bytes;
    let head = Buffer.alloc(0);
    for (const number of around.toReversed()) {
      head = Buffer.concat([field(number, length), head]);
      length = bytes + head.length;
    }
    const path = writeFilled(`${name}.onnx`, Buffer.concat([Uint8Array.of(0x08, 0x08), head]), filling, bytes);
    const { end, grownBytes } = measure(path);
    expect(end).toBe('model-invalid');
    expect(grownBytes).toBeLessThan(64 * MIB);
  },
  40_000,
);

test('weights are not read: a file of nearly 2 GiB takes no longer than a small one', () => {
  const weights = 2 ** 31 - 10_000;
  const tensor = Buffer.concat([Uint8Array.of(0x10, 0x01), field(9, weights)]);
  const initializer = field(5, tensor.length + weights);
  const graph = field(7, initializer.length + tensor.length + weights);
  const head = Buffer.concat([Uint8Array.of(0x08, 0x08), graph, initializer, tensor]);
  const path = join(folder.path, 'huge.onnx');
  const file = openSync(path, 'w');
  writeSync(file, head);
  ftruncateSync(file, head.length + weights);
  closeSync(file);
  const { end, grownBytes, tookMs } = measure(path);
  expect(end).toBe('model-invalid');
  expect(grownBytes).toBeLessThan(16 * MIB);
  expect(tookMs).toBeLessThan(3000);
}, 40_000);
