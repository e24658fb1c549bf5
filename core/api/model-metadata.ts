import type { z } from 'zod';
import type { TensorSignature } from '../models/signature.ts';
import type { ModelVersion } from '../models/version.ts';
import type { modelMetadataJson, serverMetadataJson } from './oip-schemas.ts';

/** What GET /v2 answers. */
export function serverMetadata(version: string): z.infer<typeof serverMetadataJson> {
  return { name: 'sluice', version, extensions: ['binary_tensor_data'] };
}

/** What the graph of one version takes and gives; free dimensions are -1. */
export function modelMetadata(version: ModelVersion): z.infer<typeof modelMetadataJson> {
  return {
    name: version.model,
    versions: [version.version],
    platform: 'onnx_onnxv1',
    inputs: version.signature.inputs.map(tensorMetadata),
    outputs: version.signature.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSignature) {
  return { name, datatype, shape: shape.map((dimension) => (typeof dimension === 'string' ? -1 : dimension)) };
}
