import { z } from 'zod';

export const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** What the pusher says of one input beyond what the graph says. */
const inputRules = z.strictObject({
  /** Least and greatest value accepted, inclusive (numbers and ids). */
  min: z.number().optional(),
  max: z.number().optional(),
  /** Longest string accepted, in UTF-16 code units (BYTES inputs). Default 10,000. */
  maxLength: z.int().min(1).max(1_000_000).optional(),
  /** NaN and infinities are refused unless this is true. */
  allowNotFinite: z.boolean().optional(),
  /** Value that fills shorter rows of a batch. Without it only rows of one shape share a batch. */
  pad: z.number().optional(),
});

/**
 * `manifest.json` of a pushed folder. Unknown keys are refused. Times are milliseconds.
 */
export const manifestSchema = z.strictObject({
  name: z.string().regex(MODEL_NAME, 'lower-case letters, digits, dot, dash and underscore, at most 63'),
  description: z.string().max(2000).optional(),
  license: z.string().max(200).optional(),
  /** Where the model and its data come from, for people. */
  provenance: z.string().max(2000).optional(),
  inputs: z.record(z.string(), inputRules).default({}),
  batching: z
    .strictObject({
      /** Most rows of one run. Default 64; 1 turns batching off. */
      maxRows: z.int().min(1).max(4096).default(64),
      /** Most elements of the largest input after padding, rows × length. Default 1,024 for padded models, else no cap. */
      maxPaddedElements: z.int().min(1).max(10_000_000).optional(),
      /** Most measured compute of one run. Default 15. */
      maxBatchMs: z.number().min(0.1).max(10_000).default(15),
      /** True if a row's answer depends on the rows beside it: such models never share a run across tenants. */
      batchMateDependent: z.boolean().default(false),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Most rows in one request. Default 256. */
      maxRows: z.int().min(1).max(4096).default(256),
      /** Longest free dimension after the first. Default 512. */
      maxLength: z.int().min(1).max(100_000).default(512),
    })
    .prefault({}),
  /** Longest run of one request before its runner is killed. Default 10,000. */
  timeoutMs: z.int().min(10).max(600_000).default(10_000),
  /** Most compute charged for one row before it is measured: what a request reserves from the daily budget. Default 50. */
  maxComputeMsPerRow: z.number().min(0.001).max(600_000).default(50),
  /** Golden outputs agree if |got − expected| ≤ absolute + relative × |expected|. */
  tolerance: z
    .strictObject({
      absolute: z.number().min(0).max(1).default(1e-4),
      relative: z.number().min(0).max(1).default(1e-4),
    })
    .prefault({}),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type InputRules = z.infer<typeof inputRules>;
