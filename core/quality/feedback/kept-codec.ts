import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { GivenFeedback, KeptPrediction } from '../../ports/feedbacks.ts';

/** Of a confidence that is kept: far finer than the bins that it is counted in. */
const SCALE = 1e5;

const kept = z.strictObject({
  principal: z.string(),
  /** Each once; rows point at them. */
  labels: z.array(z.string()),
  rows: z.array(z.int().min(0)),
  /** Of each row, in 1/100,000; null of a row without. */
  confidences: z.array(z.int().min(0).max(SCALE).nullable()),
  lot: z.strictObject({ release: z.string(), cohort: z.int(), unit: z.int() }).optional(),
});
const given = z.strictObject({ labels: z.array(z.string()), knownAtMs: z.number().optional(), atMs: z.number() });

/** What is sealed of a kept prediction. */
export type SealedPart = Pick<KeptPrediction, 'principal' | 'rows' | 'lot'>;

/** To be read by `decodeKept`; confidences to five digits. */
export function encodeKept({ principal, rows, lot }: SealedPart): Uint8Array {
  const places = new Map<string, number>();
  const placeOf = (label: string) => {
    const place = places.get(label) ?? places.size;
    places.set(label, place);
    return place;
  };
  const written = {
    principal,
    rows: rows.map(({ label }) => placeOf(label)),
    labels: [...places.keys()],
    confidences: rows.map(({ confidence }) => (confidence === undefined ? null : Math.round(confidence * SCALE))),
    lot,
  };
  return Buffer.from(JSON.stringify(written));
}

/** Throws `record-damaged`. */
export function decodeKept(bytes: Uint8Array): SealedPart {
  const { principal, labels, rows, confidences, lot } = parse(kept, bytes);
  const read = rows.map((place, at) => {
    const [label, confidence] = [labels[place], confidences[at]];
    if (label === undefined || confidence === undefined) throw damaged();
    return { label, confidence: confidence === null ? undefined : confidence / SCALE };
  });
  return { principal, rows: read, lot };
}

export function encodeGiven(feedback: GivenFeedback): Uint8Array {
  return Buffer.from(JSON.stringify(feedback));
}

/** Throws `record-damaged`. */
export function decodeGiven(bytes: Uint8Array): GivenFeedback {
  const { knownAtMs, ...read } = parse(given, bytes);
  return { ...read, knownAtMs };
}

/** What a kept prediction and its feedback are sealed for, beside their tenant: what was sealed as one opens as no other. */
export function keptContext(
  what: 'prediction' | 'truth',
  { id, model, version }: Pick<KeptPrediction, 'id' | 'model' | 'version'>,
): string {
  return `feedback/${what}/${id}/${model}@${version}`;
}

/** … and a tally; `part` tells apart several of one day. */
export function tallyContext(model: string, version: string, dayMs: number, part = 0): string {
  return `feedback/tally/${model}@${version}/${dayMs}/${part}`;
}

function parse<T extends z.ZodType>(schema: T, bytes: Uint8Array): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw damaged();
  }
  const { success, data } = schema.safeParse(json);
  if (!success) throw damaged();
  return data;
}

function damaged(): Failure {
  return new Failure('record-damaged', { detail: 'a kept prediction' });
}
