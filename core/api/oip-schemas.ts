import { z } from 'zod';
import { DATATYPES } from '../inference/tensor.ts';

/** Documents of the Open Inference Protocol. The decoder reads requests by hand; these describe them, and check answers in tests. */
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const datatype = z.enum(DATATYPES);

/** -1 stands for a free dimension. */
const tensorMetadata = z
  .strictObject({ name: z.string(), datatype, shape: z.array(z.int().min(-1)) })
  .meta({ id: 'TensorMetadata' });

export const serverMetadataJson = z
  .strictObject({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .meta({ id: 'ServerMetadata' });
export const serverLiveJson = z.strictObject({ live: z.boolean() }).meta({ id: 'ServerLive' });
export const serverReadyJson = z.strictObject({ ready: z.boolean() }).meta({ id: 'ServerReady' });
export const modelReadyJson = z.strictObject({ name: z.string(), ready: z.boolean() }).meta({ id: 'ModelReady' });

export const modelMetadataJson = z
  .strictObject({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.literal('onnx_onnxv1'),
    inputs: z.array(tensorMetadata),
    outputs: z.array(tensorMetadata),
  })
  .meta({ id: 'ModelMetadata' });

export const modelListJson = z
  .strictObject({
    models: z.array(z.strictObject({ name: z.string(), version: z.string().nullable(), ready: z.boolean() })),
    next: z.string().nullable(),
  })
  .meta({ id: 'ModelList' });

const scalar = z.union([z.number(), z.string(), z.boolean(), z.null()]);

const requestTensor = z
  .strictObject({
    name: z.string(),
    shape: z.array(z.int().min(0)).max(16),
    datatype,
    parameters: z
      .strictObject({ binary_data_size: z.int().min(0).optional(), content_type: z.string().optional() })
      .optional(),
    data: z
      .array(z.union([scalar, z.array(z.unknown())]))
      .optional()
      .describe(
        'Row-major, flat or nested as the shape. INT64 and UINT64 beyond ±(2^53 − 1) are decimal strings; null is NaN.',
      ),
  })
  .meta({ id: 'RequestTensor' });

export const inferRequestJson = z
  .strictObject({
    id: z.string().max(256).optional(),
    model_name: z.string().optional(),
    parameters: z
      .strictObject({
        binary_data_output: z.boolean().optional(),
        timeout_ms: z.int().min(1).optional(),
        content_type: z.string().optional(),
      })
      .optional(),
    inputs: z.array(requestTensor),
    outputs: z
      .array(
        z.strictObject({
          name: z.string(),
          parameters: z.strictObject({ binary_data: z.boolean().optional() }).optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'InferRequest' });

const responseTensor = z
  .strictObject({
    name: z.string(),
    datatype,
    shape: z.array(z.int().min(0)),
    parameters: parameters.optional(),
    data: z
      .array(scalar)
      .optional()
      .describe('Row-major, flat. NaN and infinities are null; see the binary extension for exact bits.'),
  })
  .meta({ id: 'ResponseTensor' });

export const inferResponseJson = z
  .strictObject({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string(),
    outputs: z.array(responseTensor),
  })
  .meta({ id: 'InferResponse' });

export const predictionPendingJson = z
  .strictObject({
    id: z.string().describe('Ask GET /v2/predictions/{id} for the result.'),
    state: z.literal('pending'),
    model_version: z.string(),
  })
  .meta({ id: 'PredictionPending' });

export const predictionCancelledJson = z
  .strictObject({
    id: z.string(),
    state: z.enum(['cancelled', 'ended']).describe('ended: it had its outcome already.'),
  })
  .meta({ id: 'PredictionCancelled' });
