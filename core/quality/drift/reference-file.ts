import { z } from 'zod';
import { describeIssues } from '../../describe-issues.ts';
import { Failure } from '../../failure.ts';
import { readWhole } from '../../models/read-whole.ts';
import type { Signature } from '../../models/signature.ts';
import { MIB } from '../../units.ts';
import { CONFIDENCE_BINS, Confidence } from '../confidence.ts';
import { CHARACTER_CLASSES, type InputProfile, MOST_INPUTS } from '../input-profile.ts';
import { LabelCounts } from '../label-counts.ts';
import { SignedSketch } from '../signed-sketch.ts';
import { Sketch } from '../sketch.ts';
import type { Profile } from './profile.ts';

export const MOST_REFERENCE_BYTES = 4 * MIB;
/** Labels are counted by so many names. */
const MOST_LABELS = 512;
const MOST_VALUES = 20_000;
/** Sums of counts stay exact far beyond any training data. */
const MOST_ROWS = 1e9;

const count = z.int().min(0).max(MOST_ROWS);
const counted = (value: z.ZodType<number>) => z.array(z.tuple([value, count])).max(MOST_VALUES);

const inputSchema = z
  .strictObject({
    rows: z.int().min(1).max(MOST_ROWS),
    /** Rows without content. Default 0. */
    missing: count.default(0),
    /** Rows as long as the manifest allows. Default 0. */
    tooLong: count.default(0),
    /** Of numbers: values and how often each came, several of a row if it has several. */
    values: counted(z.number().min(-1e15).max(1e15)).optional(),
    /** Of text: lengths in UTF-16 code units, and how often each came. */
    lengths: counted(z.int().min(0).max(1e9)).optional(),
    /** Of text: characters by kind. */
    classes: z.partialRecord(z.enum(CHARACTER_CLASSES), z.int().min(0).max(1e15)).optional(),
  })
  .superRefine(({ rows, missing, tooLong, lengths }, context) => {
    const add = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (missing > rows) add('missing', `${missing} of ${rows} rows`);
    if (tooLong > rows) add('tooLong', `${tooLong} of ${rows} rows`);
    if (lengths !== undefined && sumOf(lengths.map(([, times]) => times)) > rows)
      add('lengths', `more than ${rows} rows`);
  });

/** `reference.json` of a model folder: what the model answered to rows that it was not fitted on, and what those were like. */
const fileSchema = z
  .strictObject({
    labels: z
      .record(z.string().min(1).max(64), count)
      .refine((labels) => Object.keys(labels).length <= MOST_LABELS, `at most ${MOST_LABELS} labels`)
      .optional(),
    /** Answers by confidence in twenty equal bins from 0 to 1. */
    confidence: z.array(count).length(CONFIDENCE_BINS).optional(),
    inputs: z
      .record(z.string().min(1).max(200), inputSchema)
      .refine((inputs) => Object.keys(inputs).length <= MOST_INPUTS, `at most ${MOST_INPUTS} inputs`)
      .optional(),
  })
  .refine(
    ({ labels, confidence, inputs }) => labels !== undefined || confidence !== undefined || inputs !== undefined,
    'it says nothing: labels, confidence or inputs are wanted',
  );

/** Of an input of a few fixed columns each is told of by itself, as `name[0]`. */
const COLUMN = /\[\d+\]$/;

export type ReferenceFile = z.input<typeof fileSchema>;

/** What is in a reference file, and the file itself. `reference-invalid` with every problem at once; `body-too-large` beyond 4 MiB. */
export async function readReferenceFile(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly profile: Profile; readonly file: Uint8Array }> {
  const file = await readWhole(bytes, 'reference', MOST_REFERENCE_BYTES);
  const parsed = fileSchema.safeParse(parse(file));
  if (!parsed.success) throw invalid(describeIssues(parsed.error, 'reference.json'));
  const { labels = {}, confidence, inputs = {} } = parsed.data;
  const counts = Object.entries(labels).filter(([, times]) => times > 0);
  const profile = {
    labels: LabelCounts.of({ counts, other: 0 }),
    confidence: new Confidence(confidence),
    inputs: new Map(Object.entries(inputs).map(([name, seen]) => [name, profileOf(seen)])),
  };
  return { profile, file };
}

/** `reference-invalid` where it tells of inputs that the model does not have. */
export function checkReference({ inputs }: Profile, signature: Pick<Signature, 'inputs'>): void {
  const names = signature.inputs.map(({ name }) => name);
  const unknown = [...inputs.keys()].filter((name) => !names.includes(name.replace(COLUMN, '')));
  if (unknown.length === 0) return;
  throw invalid(unknown.map((name) => `inputs.${name}: the model has no such input; it has ${names.join(', ')}`));
}

function profileOf({ rows, missing, tooLong, values, lengths, classes }: z.output<typeof inputSchema>): InputProfile {
  return {
    rows,
    missing,
    tooLong,
    values: values && sketched(values, () => new SignedSketch()),
    lengths: lengths && sketched(lengths, () => new Sketch()),
    classes: classes && CHARACTER_CLASSES.map((name) => classes[name] ?? 0),
  };
}

type Mergeable<T> = { add(value: number): void; merge(other: T): void };

/** Counts are added by doubling, as sketches take one value or another sketch. */
function sketched<T extends Mergeable<T>>(values: readonly (readonly [number, number])[], empty: () => T): T {
  const sketch = empty();
  for (const [value, times] of values) {
    let some = empty();
    some.add(value);
    for (let left = times; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) sketch.merge(some);
      const doubled = empty();
      doubled.merge(some);
      doubled.merge(some);
      some = doubled;
    }
  }
  return sketch;
}

function parse(file: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
  } catch (cause) {
    throw new Failure('reference-invalid', { problems: ['reference.json: is no JSON in UTF-8'] }, { cause });
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, each) => sum + each, 0);
}

function invalid(problems: readonly string[]): Failure {
  return new Failure('reference-invalid', { problems });
}
