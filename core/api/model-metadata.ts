import type { z } from 'zod';
import type { TensorSignature } from '../models/signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { modelMetadataJson, serverMetadataJson } from './oip-schemas.ts';

/** What GET /v2 answers. */
export function serverMetadata(version: string): z.infer<typeof serverMetadataJson> {
  return { name: 'sluice', version, extensions: ['binary_tensor_data'] };
}

/**
 * What the version that answers under `name` takes and gives; free dimensions are -1. `versions` may be asked for under that
 * name: none where the version is of another model, the variant of the caller's plan.
 */
export function modelMetadata(name: string, version: ModelVersion): z.infer<typeof modelMetadataJson> {
  return {
    name,
    versions: version.model === name ? [version.version] : [],
    platform: 'onnx_onnxv1',
    inputs: version.signature.inputs.map(tensorMetadata),
    outputs: version.signature.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSignature) {
  return { name, datatype, shape: shape.map((dimension) => (typeof dimension === 'string' ? -1 : dimension)) };
}
