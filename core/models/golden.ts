import type { Tensor } from '../inference/tensor.ts';

/** One known input and what the model answered to it when it was exported. */
export type GoldenPair = { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] };
