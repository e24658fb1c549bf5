import { SystemClock } from '../adapters/node/system-clock.ts';
import { createGraphs } from '../adapters/onnx/graphs.ts';
import { createTokenizers } from '../adapters/tokenizers/tokenizers.ts';
import { checkPush } from '../core/models/check-push.ts';
import type { Manifest } from '../core/models/manifest.ts';
import { parseGolden } from '../core/models/parse-golden.ts';
import type { Check, Validation } from '../core/models/report.ts';
import { validateModel } from '../core/models/validate.ts';
import { checkReference, readReferenceFile } from '../core/quality/drift/reference-file.ts';
import { createRunnerSandbox } from '../gpu-worker/runner-sandbox.ts';
import { runnerSettingsOf, USD_PER_COMPUTE_HOUR } from './model-runners.ts';

type Files = {
  readonly modelPath: string;
  readonly golden: AsyncIterable<Uint8Array> | undefined;
  readonly tokenizerPath: string | undefined;
  readonly reference?: AsyncIterable<Uint8Array> | undefined;
};

/**
 * What a region does with a push, in this process and without adding anything. Other models, plans and pools that the manifest
 * names are believed to be there. Throws what a push is refused for.
 */
export async function validateFiles(
  manifestFile: unknown,
  { modelPath, golden, tokenizerPath, reference }: Files,
  onProgress: (checks: readonly Check[], doing: string) => void,
): Promise<{ readonly manifest: Manifest; readonly validation: Validation }> {
  const clock = new SystemClock();
  const manifest = await checkPush(manifestFile, { hasTokenizer: tokenizerPath !== undefined });
  const pairs = golden === undefined ? [] : (await parseGolden(golden)).pairs;
  const expected = reference && (await readReferenceFile(reference)).profile;
  const tokenizer =
    tokenizerPath === undefined
      ? undefined
      : await createTokenizers({ fetch: async () => tokenizerPath }).open('of this folder');
  const { signature, validation, prepared } = await validateModel(
    { sandbox: createRunnerSandbox(runnerSettingsOf(undefined), clock), graphs: createGraphs(), clock },
    { path: modelPath, manifest, golden: pairs, tokenizer, usdPerComputeHour: USD_PER_COMPUTE_HOUR },
    onProgress,
  );
  await prepared.discard();
  if (expected !== undefined) checkReference(expected, signature);
  return { manifest, validation };
}
