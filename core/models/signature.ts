import { z } from 'zod';
import { DATATYPES } from '../inference/tensor.ts';

/**
 * A dimension is fixed (a number) or free (its symbolic name in the graph, or '' where the graph gives none).
 * Two free dimensions of one name have the same length in one request.
 */
const dimension = z.union([z.int().min(0), z.string()]);

const tensorSignature = z.strictObject({
  name: z.string().min(1),
  datatype: z.enum(DATATYPES),
  shape: z.array(dimension),
});

export const signatureSchema = z.strictObject({
  inputs: z.array(tensorSignature).min(1),
  outputs: z.array(tensorSignature).min(1),
});

export type Dimension = z.infer<typeof dimension>;
export type TensorSignature = z.infer<typeof tensorSignature>;
/** What goes in and comes out, as read from the graph. */
export type Signature = z.infer<typeof signatureSchema>;

/**
 * True if the first dimension of every input and output is free and of one name (or none in all), so that rows of several
 * requests may share a run: dimensions of different names may count different things.
 */
export function isBatchable(signature: Signature): boolean {
  const first = signature.inputs[0]?.shape[0];
  const tensors = [...signature.inputs, ...signature.outputs];
  return typeof first === 'string' && tensors.every((tensor) => tensor.shape[0] === first);
}
