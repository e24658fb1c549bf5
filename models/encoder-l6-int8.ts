import { ENCODER_L6_INPUTS, encoderL6Model, tokenBatch } from './encoder-l6.ts';
import { type ManifestFile, writeModelFolder } from './model-folder.ts';
import { quantizeDynamically } from './quantize.ts';

const MANIFEST: ManifestFile = {
  name: 'encoder-l6-int8',
  description:
    'encoder-l6 with its matrix products in 8-bit integers (dynamic quantization): faster, smaller, and a row is answered a little ' +
    'differently beside other rows.',
  license: 'Apache-2.0',
  provenance: 'Built by models/encoder-l6-int8.ts from encoder-l6, whose weights are random; not trained on anything.',
  inputs: ENCODER_L6_INPUTS,
  // For bulk load, as encoder-l6.
  batching: { maxBatchMs: 100 },
  limits: { maxRows: 32, maxLength: 512 },
  timeoutMs: 10_000,
  maxComputeMsPerRow: 100,
  // Activations are rounded to integers: where a processor rounds one the other way, elements move as much as other rows move them,
  // up to 4e-3 here.
  tolerance: { absolute: 5e-3, relative: 1e-4 },
};

/** Writes the folder of `encoder-l6-int8`: model.onnx, manifest.json and golden.jsonl, the same model on every machine. */
export async function buildEncoderL6Int8(folder: string): Promise<void> {
  await writeModelFolder(folder, {
    manifest: MANIFEST,
    model: { ...quantizeDynamically(encoderL6Model()), docString: 'encoder-l6 in 8-bit integers' },
    goldenInputs: [tokenBatch([1]), tokenBatch([32]), tokenBatch([5, 12, 48])],
  });
}
