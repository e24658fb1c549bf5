import { z } from 'zod';

/** What validation looks at, in order. */
export const CHECKS = [
  'file',
  'loads',
  'signature',
  'golden',
  'constant',
  'not-finite',
  'zero-size',
  'probes',
  'batch-mates',
  'speed',
  'memory',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** One thing looked at. A refused one ends the validation; a warning is for the pusher to weigh. */
export const checkSchema = z.strictObject({
  check: z.enum(CHECKS),
  outcome: z.enum(['passed', 'repaired', 'warning', 'refused', 'skipped']),
  /** What was found, in a sentence; holds nothing of the golden pairs' values. */
  detail: z.string(),
  /** What to do about it; absent where there is nothing to do. */
  advice: z.string().optional(),
  tookMs: z.number().min(0),
});

/** A run of validation's: the lower quartile over runs, as a busy machine only ever adds time. */
const speedSchema = z.strictObject({
  rows: z.int().min(1),
  /** Elements of a row, counted as batches count them: of its largest padded input, or of its largest. */
  length: z.int().min(1),
  runMs: z.number().min(0),
});

/** How batches are formed unless the manifest says otherwise. */
const measuredBatchingSchema = z.strictObject({
  /** Least rows that reach 95 % of the best throughput. */
  maxRows: z.int().min(1),
  /** Most rows × length at the best throughput of a length where more than one row pays; absent where length plays no part. */
  maxPaddedElements: z.int().min(1).optional(),
  maxBatchMs: z.number().min(0.1),
});

/**
 * Whether other rows of a run change a row's answer. `size`: their number does; `mates`: what is in them does. Neither of
 * these is ever batched across tenants.
 */
const batchMatesSchema = z.strictObject({
  verdict: z.enum(['independent', 'size-dependent', 'mate-dependent', 'never-batched']),
  /** Largest |with mates − alone| over all outputs that are numbers; 0 where nothing differed or nothing could be compared. */
  largestDifference: z.number().min(0),
});

/** What validation found. Figures are of the machine that validated, on one thread. */
export const validationSchema = z.strictObject({
  checks: z.array(checkSchema),
  goldenPairs: z.int().min(0),
  /** Largest |got − expected| over all golden outputs. */
  largestDifference: z.number().min(0),
  loadMs: z.number().min(0),
  /** Compute of one typical row alone, as in `speed`. */
  rowMs: z.number().min(0),
  /** Peak memory that loading and running added to an empty runner. */
  memoryBytes: z.int().min(0),
  batchMates: batchMatesSchema,
  /** In order of length, then rows; runs of one row only for models without a batch. */
  speed: z.array(speedSchema),
  batching: measuredBatchingSchema,
  /** Compute of a thousand rows in best batches, in US dollars at the region's price of compute. */
  usdPerThousand: z.number().min(0),
  /** What was changed in the file before it was stored, a sentence each. */
  repairs: z.array(z.string()),
  tookMs: z.number().min(0),
});

export type Check = z.infer<typeof checkSchema>;
export type Speed = z.infer<typeof speedSchema>;
export type BatchMates = z.infer<typeof batchMatesSchema>;
export type MeasuredBatching = z.infer<typeof measuredBatchingSchema>;
export type Validation = z.infer<typeof validationSchema>;
