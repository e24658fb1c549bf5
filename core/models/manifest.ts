import { z } from 'zod';
import { driftRulesSchema } from '../quality/drift/rules.ts';
import { releasePlanSchema } from '../release/plan.ts';

export const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const POOL_ID = /^[a-z][a-z0-9-]{0,30}$/;

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

/** Another model of the region, or one that is named so as models are. */
const modelName = z.string().regex(MODEL_NAME, 'lower-case letters, digits, dot, dash and underscore, at most 63');

/** Strings in, ids to the graph: `tokenizer.json` of the pushed folder makes them, before requests are batched. */
const tokenizer = z.strictObject({
  /** Name of the string input that callers send: one text a row, shape [batch]. Default `text`. */
  input: z.string().min(1).max(200).default('text'),
  /** Graph inputs that are filled; those that the graph does not have are left out of the manifest. */
  ids: z.string().default('input_ids'),
  mask: z.string().optional(),
  typeIds: z.string().optional(),
  /** Most tokens of a text, special ones included. Default 256. */
  maxTokens: z.int().min(2).max(8192).default(256),
  /** What becomes of longer texts: cut at the end, or refused with `input-too-large`. Default `refuse`. */
  longTexts: z.enum(['cut', 'refuse']).default('refuse'),
});

/** What answers when this model cannot. Its answers carry `Sluice-Degraded: <reason>`. */
const fallback = z.union([
  z.strictObject({
    /** The stable version of this model, which takes the same inputs. Its own fallback is not used. */
    model: modelName,
    /** Answers if there is none after this time: the model is cold or slow. Without it only failures fall back, and a pool without workers. */
    afterMs: z.int().min(1).max(25_000).optional(),
  }),
  z.strictObject({
    /** A fixed answer: the elements of one row of every output by name, repeated for each row of the request. */
    outputs: z.record(
      z.string(),
      z
        .array(z.union([z.number(), z.string(), z.boolean()]))
        .min(1)
        .max(100_000),
    ),
    afterMs: z.int().min(1).max(25_000).optional(),
  }),
]);

/** When a version that keeps failing is left alone for a while. On by default. */
const breaker = z.strictObject({
  /** Opens above this share of failed requests, every tenant counting the same; 1 never opens. Default 0.5. */
  errorShare: z.number().min(0.01).max(1).default(0.5),
  /** Requests within the window before it may open. Default 20. */
  minRequests: z.int().min(1).max(100_000).default(20),
  windowS: z.int().min(1).max(3600).default(30),
  /** How long it stays open before probes are let through. Default 10. */
  openS: z.int().min(1).max(3600).default(10),
  /** Probes that must succeed in a row to close it. Default 3. */
  probes: z.int().min(1).max(100).default(3),
});

/** For how long after an answer its truth may be told, and which labels there are. */
const feedback = z.strictObject({
  days: z.int().min(1).max(90),
  /** All labels that the model may answer; needed of models that answer texts, and for the others it says which numbers there are. */
  labels: z
    .array(z.string().min(1).max(64))
    .min(2)
    .max(512)
    .refine((labels) => new Set(labels).size === labels.length, 'each label once')
    .optional(),
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
      /** Most rows of one run; 1 turns batching off. Default: what validation measured as best. */
      maxRows: z.int().min(1).max(4096).optional(),
      /** Most elements of the largest input after padding, rows × length. Default: as measured. */
      maxPaddedElements: z.int().min(1).max(10_000_000).optional(),
      /** Most measured compute of one run. Default: as measured. */
      maxBatchMs: z.number().min(0.1).max(10_000).optional(),
      /** True if a row's answer depends on the rows beside it: such models never share a run across tenants. Validation finds out too. */
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
  tokenizer: tokenizer.optional(),
  /** Answers that may be given again to the same tenant for the same inputs. Without it nothing is cached. */
  cache: z.strictObject({ seconds: z.int().min(1).max(86_400) }).optional(),
  fallback: fallback.optional(),
  breaker: breaker.prefault({}),
  /** Which model answers for this one, by the tenant's plan; callers who name a version get that version. */
  variants: z.record(z.string(), modelName).optional(),
  /** Workers that run this model; a tenant's own pool goes before. Default `default`. */
  pool: z.string().regex(POOL_ID, 'a pool name such as default or gpu-large').optional(),
  /** Share of requests whose inputs and outputs are kept, encrypted, of tenants that consent. Without it none. */
  capture: z
    .strictObject({ share: z.number().min(0).max(1), retentionDays: z.int().min(1).max(365).default(7) })
    .optional(),
  /** Answers are kept, encrypted, so that their true labels can be told later. Without it none are, and feedback is refused. */
  feedback: feedback.optional(),
  /** How a new version gets from nobody to everybody; a start may say otherwise. Default: `DEFAULT_STEPS`. */
  release: releasePlanSchema.optional(),
  /** How its versions are compared with their references. */
  drift: driftRulesSchema.optional(),
  /** True for a model that may answer the same to everything: validation refuses such models otherwise. */
  mayBeConstant: z.boolean().default(false),
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
export type TokenizerRules = z.infer<typeof tokenizer>;
export type Fallback = z.infer<typeof fallback>;
export type BreakerRules = z.infer<typeof breaker>;
