import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../core/models/manifest.ts';
import { bytesTensor, openSession, runModel } from '../../models/golden.ts';
import { readLabelledTexts, SENTIMENTS } from '../../models/text/labelled-texts.ts';
import { scoreGuesses } from '../../models/text/scores.ts';
import { guessLabels } from '../../models/text/text-model.ts';
import { MANIFEST } from '../../models/text/ticket-sentiment.ts';
import { trainTicketSentiment } from '../../models/train.ts';
import { checkGolden, SHARED_FOLDER } from './golden-check.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'models', 'ticket-sentiment');
const DATA = join(SHARED_FOLDER, 'data', 'goemotions');
const dataMissing = !existsSync(join(DATA, 'test.tsv'));
if (dataMissing) console.warn(`skipping what needs GoEmotions: ${DATA} is not there`);

let session: InferenceSession;
beforeAll(async () => {
  session = await openSession(join(FOLDER, 'model.onnx'));
});
afterAll(() => session.release());

async function ask(texts: readonly string[]): Promise<{ labels: string[]; rows: number[][] }> {
  const [label, probabilities] = await runModel(session, [bytesTensor('text', texts)]);
  const flat = probabilities!.data as number[];
  return { labels: label!.data as string[], rows: texts.map((_, row) => flat.slice(row * 3, row * 3 + 3)) };
}

test('the committed folder is a valid push: manifest, golden pairs within tolerance, three megabytes at most', async () => {
  const manifest: unknown = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8'));
  expect(manifest).toEqual(MANIFEST);
  expect(manifestSchema.parse(manifest).name).toBe('ticket-sentiment');
  expect(await checkGolden(FOLDER)).toEqual({ pairs: 8, misses: [] });
  expect(statSync(join(FOLDER, 'model.onnx')).size).toBeLessThan(3 * 1024 * 1024);
});

test('the graph takes strings of a free batch and gives a label and three probabilities a row', () => {
  expect(session.inputMetadata).toMatchObject([{ name: 'text', type: 'string', shape: ['batch'] }]);
  expect(session.outputMetadata).toMatchObject([
    { name: 'label', type: 'string', shape: ['batch'] },
    { name: 'probabilities', type: 'float32', shape: ['batch', 3] },
  ]);
});

test('plain feelings are told apart', async () => {
  const { labels } = await ask([
    'I love this, thank you!',
    'This is terrible and I hate it.',
    'The office is in Berlin.',
  ]);
  expect(labels).toEqual(['positive', 'negative', 'neutral']);
});

test.each([
  ['empty', ''],
  ['white space', ' \t\n'],
  ['unknown words', 'zzqx wvvk'],
  ['emoji and scripts', '👩‍👩‍👧 谢谢 ñandú'],
  ['a lone surrogate', '\ud800 good'],
  ['the longest text allowed', 'word '.repeat(800)],
  ['one long word', 'x'.repeat(4000)],
])('%s gets probabilities, never NaN', async (_, text) => {
  const { rows } = await ask([text]);
  expect(rows[0]!.every((share) => share > 0 && share < 1)).toBe(true);
});

test('any text gets a label that its largest probability names, whatever the texts beside it', async () => {
  const names = ['negative', 'neutral', 'positive'];
  const text = fc.string({ unit: 'binary', maxLength: 60 }).map((each) => each.replaceAll('\0', ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), async (texts) => {
      const together = await ask(texts);
      const [alone] = (await ask([texts[0]!])).rows;
      for (const [row, shares] of together.rows.entries()) {
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
        expect(together.labels[row]).toBe(names[shares.indexOf(Math.max(...shares))]);
      }
      for (const [at, share] of alone!.entries()) expect(together.rows[0]![at]).toBeCloseTo(share, 6);
    }),
    { numRuns: 100 },
  );
});

test.skipIf(dataMissing)(
  'at least 66 % of the single-label, unambiguous test rows are right, as the card says',
  async () => {
    const rows = readLabelledTexts(join(DATA, 'test.tsv'));
    const guesses = await guessLabels(join(FOLDER, 'model.onnx'), rows, SENTIMENTS);
    const truth = rows.map(({ label }) => label);
    const scores = scoreGuesses(truth, guesses, SENTIMENTS.length);
    expect(scores.rows).toBe(4539);
    expect(scores.accuracy).toBeGreaterThanOrEqual(0.66);
    const card = readFileSync(join(FOLDER, 'MODEL_CARD.md'), 'utf8');
    expect(card).toMatch(new RegExp(`${(scores.accuracy * 100).toFixed(1)} % +\\| ${scores.macroF1.toFixed(3)}`));
  },
);

test.skipIf(dataMissing)('training again gives the committed files to the byte', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-train-'));
  try {
    await trainTicketSentiment(DATA, folder, () => {});
    for (const file of ['model.onnx', 'manifest.json', 'reference.json', 'MODEL_CARD.md']) {
      expect(Buffer.compare(readFileSync(join(folder, file)), readFileSync(join(FOLDER, file))), file).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('training without data says what is missing and fails', () => {
  const run = spawnSync(process.execPath, ['models/train.ts', '--data', 'nowhere'], { cwd: ROOT, encoding: 'utf8' });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('GoEmotions is not there');
  expect(run.stderr).toContain('--data');
});
