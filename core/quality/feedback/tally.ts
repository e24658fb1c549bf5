import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { KeptRow } from '../../ports/feedbacks.ts';
import { Calibration } from '../calibration.ts';
import { CONFIDENCE_BINS } from '../confidence.ts';
import { Confusion } from '../confusion.ts';
import type { LabelContents } from '../label-counts.ts';

/** Labels with a row of their own in a tally: the 77 of a large classifier, with room. With the longest there can be it comes to 320 KB. */
const MOST_LABELS = 90;

const count = z.number().min(0);
const place = z.int().min(0);
const bins = z.array(count).length(CONFIDENCE_BINS);
/** Of a true label what was predicted: the places of both in `labels`, and a count; then those that are not told apart. */
const cells = z.array(z.tuple([place, count]));
const row = z.tuple([place, cells, count]);
const counts = z.tuple([cells, count]);
const encoded = z.strictObject({
  count,
  correct: count,
  labels: z.array(z.string()),
  rows: z.array(row),
  other: counts,
  classes: z.tuple([counts, counts, counts]),
  calibration: z.tuple([bins, bins, bins]),
});

/** What feedback comes to; counts are of rows. Merging gives the same in every order. */
export class FeedbackTally {
  count = 0;
  correct = 0;
  readonly confusion = new Confusion(MOST_LABELS);
  readonly calibration = new Calibration();

  add({ label, confidence }: KeptRow, actual: string): void {
    const isCorrect = label === actual;
    this.count += 1;
    if (isCorrect) this.correct += 1;
    this.confusion.add(actual, label);
    if (confidence !== undefined) this.calibration.add(confidence, isCorrect);
  }

  merge(other: FeedbackTally): void {
    this.count += other.count;
    this.correct += other.correct;
    this.confusion.merge(other.confusion);
    this.calibration.merge(other.calibration);
  }

  /** At most 320 KB. */
  encode(): Uint8Array {
    const { count, correct, confusion, calibration: bins } = this;
    const places = new Map<string, number>();
    const placeOf = (label: string) => {
      const place = places.get(label) ?? places.size;
      places.set(label, place);
      return place;
    };
    const cellsOf = ({ counts }: LabelContents) => counts.map(([label, n]): [number, number] => [placeOf(label), n]);
    const { labels, other, classes } = confusion.contents();
    const countsOf = (contents: LabelContents): z.infer<typeof counts> => [cellsOf(contents), contents.other];
    const written: z.infer<typeof encoded> = {
      count,
      correct,
      rows: labels.map(([actual, predicted]) => [placeOf(actual), cellsOf(predicted), predicted.other]),
      other: countsOf(other),
      classes: [countsOf(classes.actual), countsOf(classes.predicted), countsOf(classes.right)],
      labels: [],
      calibration: [bins.count, bins.correct, bins.confidence],
    };
    return Buffer.from(JSON.stringify({ ...written, labels: [...places.keys()] }));
  }

  /** Throws `record-damaged`. */
  static decode(bytes: Uint8Array): FeedbackTally {
    const { data, error } = encoded.safeParse(readJson(bytes));
    if (data === undefined) throw new Failure('record-damaged', { detail: 'a feedback tally' }, { cause: error });
    const { labels, rows, classes } = data;
    const contentsOf = ([cells, other]: z.infer<typeof counts>): LabelContents => ({
      counts: cells.map(([place, n]) => [labelAt(labels, place), n]),
      other,
    });
    const [actual, predicted, right] = classes.map(contentsOf) as [LabelContents, LabelContents, LabelContents];
    const tally = new FeedbackTally();
    tally.count = data.count;
    tally.correct = data.correct;
    const read = {
      labels: rows.map(([label, ...of]) => [labelAt(labels, label), contentsOf(of)] as const),
      other: contentsOf(data.other),
      classes: { actual, predicted, right },
    };
    tally.confusion.merge(Confusion.of(read, MOST_LABELS));
    tally.calibration.merge(new Calibration(data.calibration));
    return tally;
  }
}

function labelAt(labels: readonly string[], place: number): string {
  const label = labels[place];
  if (label === undefined) throw new Failure('record-damaged', { detail: 'a feedback tally' });
  return label;
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
