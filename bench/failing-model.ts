import { join } from 'node:path';
import type { GoldenTensor } from '../models/golden.ts';
import { type ManifestFile, writeModelFolder } from '../models/model-folder.ts';
import { floatTensor, graphBuilder, onnxModel, tensorValue } from '../models/onnx/graph.ts';

const ENTRIES = 10;

export function lookupInputs(id: number): GoldenTensor[] {
  return [{ name: 'id', shape: [1], datatype: 'INT64', data: [id] }];
}

/** An id that the table has not: the run fails, and nothing else does. */
export const OUTSIDE = ENTRIES;

/**
 * A folder with a model that looks `id` INT64 [batch] up in a table of ten entries, `y` FP32 [batch]. Its breaker opens after five failures
 * and stays open for an hour.
 */
export async function failingModel(
  parent: string,
  name: string,
  manifest: Partial<ManifestFile> = {},
): Promise<string> {
  const builder = graphBuilder('lookup');
  const table = Array.from({ length: ENTRIES }, (_, id) => id / 2);
  builder.opTo(['y'], 'Gather', [builder.constant(floatTensor([ENTRIES], table)), 'id']);
  const graph = builder.graph([tensorValue('id', 'int64', ['batch'])], [tensorValue('y', 'float', ['batch'])]);
  const folder = join(parent, name);
  const breaker = { minRequests: 5, openS: 3600 };
  const goldenInputs = Array.from({ length: ENTRIES }, (_, id) => lookupInputs(id));
  await writeModelFolder(folder, {
    manifest: { name, breaker, ...manifest },
    model: onnxModel(graph, { '': 17 }, name),
    goldenInputs,
  });
  return folder;
}
