import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Models of others, of which only the manifests lie here. */
export const THIRD_PARTY_MODELS = ['mnist-12', 'xgboost-classifier', 'lightgbm-regressor'] as const;

export type ThirdPartyName = (typeof THIRD_PARTY_MODELS)[number];

/**
 * Puts model, golden pairs and our manifest together in `targetFolder`, to be pushed as it is, and returns that folder;
 * undefined if `sharedModelsFolder` does not hold the model. A golden file beside our manifest replaces the shared one.
 */
export function thirdPartyFolder(
  name: ThirdPartyName,
  sharedModelsFolder: string,
  targetFolder: string,
): string | undefined {
  const shared = join(sharedModelsFolder, name);
  if (!existsSync(join(shared, 'model.onnx'))) return undefined;
  const ours = join(import.meta.dirname, 'third-party', name);
  const golden = existsSync(join(ours, 'golden.jsonl')) ? ours : shared;
  mkdirSync(targetFolder, { recursive: true });
  for (const from of [join(shared, 'model.onnx'), join(golden, 'golden.jsonl'), join(ours, 'manifest.json')]) {
    // Not copied with its mode: a read-only file could not be replaced the next time.
    writeFileSync(join(targetFolder, basename(from)), readFileSync(from));
  }
  return targetFolder;
}
