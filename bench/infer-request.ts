import type { GoldenTensor } from '../models/golden.ts';
import type { LoadRequest } from './load-spec.ts';

/** A JSON infer request as a tenant sends it; without a key where the server asks for none. */
export function inferRequest(model: string, inputs: readonly GoldenTensor[], apiKey?: string): LoadRequest {
  return {
    method: 'POST',
    path: `/v2/models/${model}/infer`,
    headers: {
      'Content-Type': 'application/json',
      ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ inputs }),
  };
}
