import { z } from 'zod';
import type { Manifest } from '../../models/manifest.ts';

/** How a version is compared with its reference: `drift` of a manifest. */
export const driftRulesSchema = z.strictObject({
  /** Distances above it count, if they are above what chance alone gives too. Default 0.1, of each method, as Evidently has it. */
  threshold: z.number().min(0.01).max(1).default(0.1),
  /** Rows of a window before it is judged; until then it goes on, for a day at the most. Default 200. */
  minSamples: z.int().min(30).max(1_000_000).default(200),
  /** Shortest window; it begins where the one before ended. Default 15. */
  windowMinutes: z.int().min(1).max(1440).default(15),
  /** Windows in a row that must have drifted before it is an alarm. Default 3. */
  alarmAfter: z.int().min(1).max(20).default(3),
  /** A `model.retraining_due` is sent so often while the version is the stable one, drifted or not. Default: never. */
  retrainEveryDays: z.int().min(1).max(365).optional(),
});

export type DriftRules = z.infer<typeof driftRulesSchema>;

/**
 * Rows that a reference needs. Below, chance alone moves a Kolmogorov-Smirnov distance by 0.2 whatever the window's size, and one row is a whole
 * percent of it.
 */
export const LEAST_REFERENCE_ROWS = 100;

const DEFAULT_RULES = driftRulesSchema.parse({});

export function driftRulesOf({ drift }: Pick<Manifest, 'drift'>): DriftRules {
  return drift ?? DEFAULT_RULES;
}
