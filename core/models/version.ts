import { z } from 'zod';
import { manifestSchema } from './manifest.ts';
import { signatureSchema } from './signature.ts';

/** What validation measured; figures are of the machine that validated. */
export const validationSchema = z.strictObject({
  goldenPairs: z.int().min(0),
  /** Largest |got − expected| over all golden outputs. */
  largestDifference: z.number().min(0),
  loadMs: z.number().min(0),
  /** Compute of one row alone, median. */
  rowMs: z.number().min(0),
  /** Memory that loading and running added to an empty runner. */
  memoryBytes: z.int().min(0),
});

/** One immutable version of a model: a number in order of pushing, bound to its bytes by digest. */
export const modelVersionSchema = z.strictObject({
  model: z.string(),
  version: z.string().regex(/^[1-9][0-9]{0,8}$/),
  /** SHA-256, hex, of model.onnx. */
  modelDigest: z.string().length(64),
  modelBytes: z.int().min(1),
  /** SHA-256, hex, over manifest, model and golden digests: the same push twice has the same digest. */
  digest: z.string().length(64),
  manifest: manifestSchema,
  signature: signatureSchema,
  validation: validationSchema,
  pushedBy: z.string(),
  pushedAtMs: z.int(),
});

export type Validation = z.infer<typeof validationSchema>;
export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** Which version answers callers who name none. `epoch` grows with every change. */
export type ModelRoute = { readonly model: string; readonly stable: string | undefined; readonly epoch: number };
