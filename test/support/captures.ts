import type { Capture } from '../../core/ports/captures.ts';
import { DAY_MS } from '../../core/units.ts';
import { floats } from './jobs.ts';

let captures = 0;

/** A prediction of tenant acme by model m, made at `atMs` and kept for a year. */
export function aCapture(atMs: number, changes: Partial<Capture> = {}): Capture {
  captures += 1;
  return {
    id: `pred_${captures}`,
    tenant: 'acme',
    model: 'm',
    version: '1',
    atMs,
    inputs: [floats('x', [1, 1], [captures])],
    outputs: [floats('y', [1, 1], [captures + 1])],
    expiresAtMs: atMs + 365 * DAY_MS,
    ...changes,
  };
}
