/**
 * How probable it may be that a version just like stable is rolled back, by what for, in a whole release: all together 0.95 %.
 * Errors get most, as they are what harms and what little traffic says least of.
 */
export const LEVELS = {
  errors: 0.0065,
  latency: { p50: 0.0006, p95: 0.0003, p99: 0.0003 },
  agreement: 0.0002,
  labels: 0.0004,
  confidence: 0.0003,
  accuracy: 0.0002,
  compute: 0.0007,
} as const;

/** A difference that counts by size and is this improbable by chance is waited on, not passed. */
export const SUSPICIOUS = 0.05;
