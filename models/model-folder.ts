import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { writeModel } from '../adapters/onnx/graph/codec.ts';
import type { OnnxModel } from '../adapters/onnx/graph/messages.ts';
import { manifestSchema } from '../core/models/manifest.ts';
import { type GoldenTensor, goldenLines } from './golden.ts';

/** A manifest as it is written, defaults left out. */
export type ManifestFile = z.input<typeof manifestSchema>;

type ModelFiles = {
  readonly manifest: ManifestFile;
  readonly model: OnnxModel;
  /** Inputs of the golden pairs; onnxruntime computes the outputs from the written file. */
  readonly goldenInputs: readonly (readonly GoldenTensor[])[];
  /** What the graph takes in place of what callers send. Default: the same. */
  readonly toGraph?: (inputs: readonly GoldenTensor[]) => readonly GoldenTensor[];
};

/** Writes manifest.json, model.onnx and golden.jsonl: a folder that can be pushed. Throws if the manifest is not valid. */
export async function writeModelFolder(folder: string, files: ModelFiles): Promise<void> {
  manifestSchema.parse(files.manifest);
  mkdirSync(folder, { recursive: true });
  const modelPath = join(folder, 'model.onnx');
  writeFileSync(modelPath, writeModel(files.model));
  writeFileSync(join(folder, 'golden.jsonl'), await goldenLines(modelPath, files.goldenInputs, files.toGraph));
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(files.manifest, undefined, 2)}\n`);
}
