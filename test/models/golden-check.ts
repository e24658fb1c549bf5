import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { parseTokenizer } from '../../adapters/tokenizers/tokenizer-file.ts';
import { compileTokenizing } from '../../core/inference/tokenize.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { GoldenTensor } from '../../models/golden.ts';
import { openSession, runModel } from '../../models/golden.ts';

type GoldenLine = { readonly inputs: readonly GoldenTensor[]; readonly outputs: readonly GoldenTensor[] };

type ToGraph = (inputs: readonly GoldenTensor[]) => readonly GoldenTensor[];

export const SHARED_FOLDER = join(import.meta.dirname, '..', '..', '..', 'shared');

export function readGolden(golden: string): GoldenLine[] {
  return golden
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenLine);
}

/** Every golden output that the model does not meet within its manifest's tolerance, in words; and how many pairs there are. */
export async function checkGolden(folder: string): Promise<{ pairs: number; misses: string[] }> {
  const { tolerance } = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const session = await openSession(join(folder, 'model.onnx'));
  const toGraph = graphInputs(folder, session);
  const lines = readGolden(readFileSync(join(folder, 'golden.jsonl'), 'utf8'));
  const misses: string[] = [];
  for (const [at, line] of lines.entries()) {
    const answers = await runModel(session, toGraph(line.inputs));
    for (const wanted of line.outputs) {
      const got = answers.find((answer) => answer.name === wanted.name);
      const where = `pair ${at + 1}, ${wanted.name}`;
      if (got?.datatype !== wanted.datatype || got.shape.join() !== wanted.shape.join()) misses.push(`${where}: type`);
      else if (!wanted.data.every((value, each) => agrees(value, got.data[each]!, tolerance))) misses.push(where);
    }
  }
  await session.release();
  return { pairs: lines.length, misses };
}

/** What the graph takes of what callers of the model in `folder` send: the same, unless its manifest names a tokenizer. */
export function graphInputs(folder: string, { inputMetadata }: InferenceSession): ToGraph {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  if (manifest.tokenizer === undefined) return (inputs) => inputs;
  const inputs = inputMetadata.flatMap((input): Signature['inputs'] =>
    input.isTensor ? [{ name: input.name, datatype: 'INT64', shape: [...input.shape] }] : [],
  );
  const tokenizer = parseTokenizer(readFileSync(join(folder, 'tokenizer.json')));
  const tokenize = compileTokenizing(manifest, { inputs, outputs: [] }, tokenizer);
  return (texts) =>
    tokenize(texts.map((text) => ({ ...text, data: text.data as string[] }))).map(({ name, shape, data }) => ({
      name,
      shape,
      datatype: 'INT64',
      data: Array.from(data as BigInt64Array, Number),
    }));
}

function agrees(
  wanted: string | number,
  got: string | number,
  tolerance: { absolute: number; relative: number },
): boolean {
  if (typeof wanted === 'string' || typeof got === 'string') return wanted === got;
  return Math.abs(wanted - got) <= tolerance.absolute + tolerance.relative * Math.abs(wanted);
}
