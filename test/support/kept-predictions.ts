import type { KeptPrediction } from '../../core/ports/feedbacks.ts';
import { DAY_MS } from '../../core/units.ts';

let kept = 0;

/** An answer of one row that acme's `m@1` gave. */
export function aKeptPrediction(atMs: number, changes: Partial<KeptPrediction> = {}): KeptPrediction {
  kept += 1;
  return {
    tenant: 'acme',
    id: `pred_${kept}`,
    principal: 'key:1',
    model: 'm',
    version: '1',
    rows: [{ label: 'good', confidence: 0.75 }],
    lot: undefined,
    atMs,
    expiresAtMs: atMs + 7 * DAY_MS,
    ...changes,
  };
}
