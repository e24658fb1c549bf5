import { z } from 'zod';
import { FAILURES, Failure, type FailureCode } from '../failure.ts';
import { DEGRADATIONS } from './degradation.ts';
import { type Job, LANES, type Outcome, type StableAnswer } from './job.ts';
import type { Tensor } from './tensor.ts';
import { decodeTensors, encodeTensors } from './tensor-codec.ts';

/*
 * What is sealed of a job: u32 bytes of JSON, 4 zero bytes, the JSON (all but tensors), zeros to a multiple of 8, the tensors: inputs, then
 * what a shadow copy's outputs are compared with. Members that came later are optional: what was stored before them stays readable.
 */
const HEADER_BYTES = 8;

const detailsSchema = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  principal: z.string(),
  model: z.string(),
  requestedModel: z.string(),
  version: z.string(),
  versionNamed: z.boolean(),
  pool: z.string(),
  lane: z.enum(LANES),
  outputs: z.array(z.string()).optional(),
  clientId: z.string().optional(),
  rows: z.number(),
  acceptedAtMs: z.number(),
  deadlineMs: z.number(),
  weight: z.number(),
  reservedComputeMs: z.number(),
  durable: z.boolean(),
  notify: z.boolean(),
  captureUntilMs: z.number().optional(),
  traceparent: z.string().optional(),
  degraded: z.enum(DEGRADATIONS).optional(),
  lot: z.strictObject({ release: z.string(), cohort: z.number(), unit: z.number() }).optional(),
  onCandidate: z.boolean().optional(),
  shadowOn: z.string().optional(),
  shadow: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('labels'), tokenizer: z.string().optional(), labels: z.array(z.string()) }),
      /** How many of the tensors, the last ones, are outputs. */
      z.strictObject({ kind: z.literal('outputs'), tokenizer: z.string().optional(), outputs: z.int().min(0) }),
    ])
    .optional(),
});

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('succeeded'),
    version: z.string(),
    computeMs: z.number(),
    queueMs: z.number(),
    batchRows: z.number(),
    endedAtMs: z.number(),
  }),
  z.strictObject({
    kind: z.literal('failed'),
    code: z.enum(Object.keys(FAILURES) as FailureCode[]),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
    computeMs: z.number(),
    endedAtMs: z.number(),
  }),
]);

const endedSchema = z.strictObject({ job: detailsSchema, outcome: outcomeSchema });

/** A job to be run later or elsewhere. */
export function encodeJob(job: Job): Uint8Array {
  return join(details(job), job.shadow?.kind === 'outputs' ? [...job.inputs, ...job.shadow.outputs] : job.inputs);
}

/** Throws `record-damaged` if `bytes` are not of `encodeJob`. */
export function decodeJob(bytes: Uint8Array): Job {
  const { json, tensors } = split(bytes);
  return asJob(parse(detailsSchema, json), tensors);
}

/** A job that has ended, without its inputs, and how it did. */
export function encodeEnded(job: Job, outcome: Outcome): Uint8Array {
  return join({ job: details(job), outcome: withoutOutputs(outcome) }, outputsOf(outcome));
}

/** How a job ended. */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  return join(withoutOutputs(outcome), outputsOf(outcome));
}

/** Throws `record-damaged` if `bytes` are not of `encodeOutcome`. */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  const { json, tensors } = split(bytes);
  return asOutcome(parse(outcomeSchema, json), tensors);
}

/** Throws `record-damaged` if `bytes` are not of `encodeEnded`. */
export function decodeEnded(bytes: Uint8Array): { job: Job; outcome: Outcome } {
  const { json, tensors } = split(bytes);
  const { job, outcome } = parse(endedSchema, json);
  return { job: asJob(job, []), outcome: asOutcome(outcome, tensors) };
}

function details(job: Job): object {
  const { inputs: _, shadow, ...rest } = job;
  if (shadow === undefined) return rest;
  return { ...rest, shadow: shadow.kind === 'outputs' ? { ...shadow, outputs: shadow.outputs.length } : shadow };
}

function asJob({ shadow, ...stored }: z.infer<typeof detailsSchema>, tensors: readonly Tensor[]): Job {
  const inputs = shadow?.kind === 'outputs' ? tensors.slice(0, tensors.length - shadow.outputs) : tensors;
  return {
    outputs: undefined,
    clientId: undefined,
    traceparent: undefined,
    captureUntilMs: undefined,
    ...stored,
    inputs,
    ...(shadow !== undefined && { shadow: asStableAnswer(shadow, tensors.slice(inputs.length)) }),
  };
}

function asStableAnswer(
  stored: NonNullable<z.infer<typeof detailsSchema>['shadow']>,
  outputs: readonly Tensor[],
): StableAnswer {
  return stored.kind === 'outputs' ? { ...stored, outputs } : stored;
}

function asOutcome(stored: z.infer<typeof outcomeSchema>, outputs: readonly Tensor[]): Outcome {
  return stored.kind === 'succeeded' ? { ...stored, outputs } : stored;
}

function outputsOf(outcome: Outcome): readonly Tensor[] {
  return outcome.kind === 'succeeded' ? outcome.outputs : [];
}

function withoutOutputs(outcome: Outcome): object {
  if (outcome.kind === 'failed') return { ...outcome, facts: writableFacts(outcome.facts) };
  const { outputs: _, ...rest } = outcome;
  return rest;
}

/** Facts for people: JSON has no infinity, and a wait without end is told by leaving it out. */
function writableFacts(facts: object): object {
  return Object.fromEntries(
    Object.entries(facts).filter(([, fact]) => typeof fact !== 'number' || Number.isFinite(fact)),
  );
}

function join(value: object, tensors: readonly Tensor[]): Uint8Array {
  const json = Buffer.from(JSON.stringify(value));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(json.length);
  const padding = Buffer.alloc(-json.length & 7);
  return Buffer.concat([header, json, padding, encodeTensors(tensors)]);
}

function split(bytes: Uint8Array): { json: string; tensors: Tensor[] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const jsonBytes = buffer.length < HEADER_BYTES ? Number.POSITIVE_INFINITY : buffer.readUInt32LE();
  const tensorsAt = HEADER_BYTES + Math.ceil(jsonBytes / 8) * 8;
  if (tensorsAt > buffer.length) throw new Failure('record-damaged', { detail: 'a stored job ends early' });
  return {
    json: buffer.toString('utf8', HEADER_BYTES, HEADER_BYTES + jsonBytes),
    tensors: decodeTensors(buffer.subarray(tensorsAt)),
  };
}

function parse<T>(schema: z.ZodType<T>, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: 'a stored job has the wrong fields' }, { cause });
  }
}
