import { z } from 'zod';
import { manifestSchema } from './manifest.ts';
import { validationSchema } from './report.ts';
import { signatureSchema } from './signature.ts';

const sha256 = z.string().length(64);

/** One immutable version of a model: a number in order of pushing, bound to its bytes by digest. */
export const modelVersionSchema = z.strictObject({
  model: z.string(),
  version: z.string().regex(/^[1-9][0-9]{0,8}$/),
  /** SHA-256, hex, of the graph that is served: model.onnx as pushed, or as repaired. */
  modelDigest: sha256,
  modelBytes: z.int().min(1),
  /** Of golden.jsonl, if there is one. */
  goldenDigest: sha256.optional(),
  /** Of tokenizer.json, if the manifest has a tokenizer. */
  tokenizerDigest: sha256.optional(),
  /** Of reference.json, if there is one. */
  referenceDigest: sha256.optional(),
  /** SHA-256, hex, over manifest and the digests of all files as pushed: the same push twice has the same digest. */
  digest: sha256,
  manifest: manifestSchema,
  /** What callers send and get. */
  signature: signatureSchema,
  /** What the graph takes and gives, where a tokenizer makes that another. */
  graphSignature: signatureSchema.optional(),
  validation: validationSchema,
  pushedBy: z.string(),
  pushedAtMs: z.int(),
});

export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** Which version answers callers who name none. `epoch` grows with every change. */
export type ModelRoute = { readonly model: string; readonly stable: string | undefined; readonly epoch: number };
