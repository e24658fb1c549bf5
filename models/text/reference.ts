import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countCharacters } from '../../core/quality/character-class.ts';
import { Confidence } from '../../core/quality/confidence.ts';
import type { ReferenceFile } from '../../core/quality/drift/reference-file.ts';
import { CHARACTER_CLASSES } from '../../core/quality/input-profile.ts';
import { bytesTensor, openSession, runModel } from '../golden.ts';

const ROWS_PER_RUN = 256;
/** UTF-16 code units of a text whose characters are counted, as telemetry does. */
const MOST_UNITS = 500;

export type ReferenceSettings = {
  /** In the order of the outputs. */
  readonly labels: readonly string[];
  /** Of the manifest. */
  readonly maxLength: number;
};

/**
 * Writes reference.json to the folder of a text classifier: what its graph answers to texts that it was not fitted on, and what these are like. The model
 * is surer of those it was fitted on than it will be of others.
 */
export async function writeTextReference(
  folder: string,
  texts: readonly string[],
  { labels, maxLength }: ReferenceSettings,
): Promise<void> {
  const answers = await ask(join(folder, 'model.onnx'), texts, labels);
  const classes = CHARACTER_CLASSES.map(() => 0);
  for (const text of texts) countCharacters(classes, text, MOST_UNITS);
  const reference: ReferenceFile = {
    ...answers,
    inputs: {
      text: {
        rows: texts.length,
        missing: texts.filter((text) => text.trim() === '').length,
        tooLong: texts.filter((text) => text.length >= maxLength).length,
        lengths: countsOf(texts.map((text) => text.length)),
        classes: Object.fromEntries(CHARACTER_CLASSES.map((name, at) => [name, classes[at]!])),
      },
    },
  };
  writeFileSync(join(folder, 'reference.json'), `${JSON.stringify(reference)}\n`);
}

async function ask(
  modelPath: string,
  texts: readonly string[],
  labels: readonly string[],
): Promise<Pick<ReferenceFile, 'labels' | 'confidence'>> {
  const session = await openSession(modelPath);
  const counts = new Map(labels.map((label) => [label, 0]));
  const confidence = new Confidence();
  for (let from = 0; from < texts.length; from += ROWS_PER_RUN) {
    const rows = texts.slice(from, from + ROWS_PER_RUN);
    const [label, probabilities] = await runModel(session, [bytesTensor('text', rows)]);
    const shares = probabilities!.data as number[];
    for (const row of rows.keys()) {
      const name = String(label!.data[row]);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const ofRow = shares.slice(row * labels.length, (row + 1) * labels.length);
      confidence.add(Math.min(1, Math.max(...ofRow)));
    }
  }
  await session.release();
  return { labels: Object.fromEntries(counts), confidence: [...confidence.bins] };
}

function countsOf(values: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}
