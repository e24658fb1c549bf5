import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../core/models/manifest.ts';
import { bytesTensor, openSession, runModel } from '../../models/golden.ts';
import { readBanking77 } from '../../models/text/banking77.ts';
import { scoreClasses, scoreGuesses } from '../../models/text/scores.ts';
import { guessLabels } from '../../models/text/text-model.ts';
import { MANIFEST } from '../../models/text/ticket-intent.ts';
import { trainTicketIntent } from '../../models/train.ts';
import { checkGolden, SHARED_FOLDER } from './golden-check.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'models', 'ticket-intent');
const DATA = join(SHARED_FOLDER, 'data', 'banking77');
const dataMissing = !existsSync(join(DATA, 'test.csv'));
if (dataMissing) console.warn(`skipping what needs banking77: ${DATA} is not there`);

let session: InferenceSession;
beforeAll(async () => {
  session = await openSession(join(FOLDER, 'model.onnx'));
});
afterAll(() => session.release());

function withFile<T>(content: string, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rows-'));
  try {
    writeFileSync(join(folder, 'rows.csv'), content);
    return use(join(folder, 'rows.csv'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the committed folder is a valid push: manifest, golden pairs within tolerance, four megabytes at most', async () => {
  const manifest: unknown = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8'));
  expect(manifest).toEqual(MANIFEST);
  expect(manifestSchema.parse(manifest).name).toBe('ticket-intent');
  expect(await checkGolden(FOLDER)).toEqual({ pairs: 8, misses: [] });
  expect(statSync(join(FOLDER, 'model.onnx')).size).toBeLessThan(4_000_000);
});

test('the graph takes strings of a free batch and gives a label and 77 probabilities a row', () => {
  expect(session.inputMetadata).toMatchObject([{ name: 'text', type: 'string', shape: ['batch'] }]);
  expect(session.outputMetadata).toMatchObject([
    { name: 'label', type: 'string', shape: ['batch'] },
    { name: 'probabilities', type: 'float32', shape: ['batch', 77] },
  ]);
});

test('plain wishes are told apart', async () => {
  const wishes = ['My new card has not arrived', 'How do I change my PIN?', 'I lost my phone'];
  const [label] = await runModel(session, [bytesTensor('text', wishes)]);
  expect(label!.data).toEqual(['card_arrival', 'change_pin', 'lost_or_stolen_phone']);
});

test.each([
  ['empty', ''],
  ['unknown words', 'zzqx wvvk'],
  ['emoji and scripts', '👩‍👩‍👧 谢谢 ñandú'],
  ['a lone surrogate', '\ud800 card'],
  ['the longest text allowed', 'card '.repeat(800)],
])('%s gets probabilities that sum to 1, never NaN', async (_, text) => {
  const [, probabilities] = await runModel(session, [bytesTensor('text', [text])]);
  const shares = probabilities!.data as number[];
  expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
});

test('rows are read as CSV: quotes, commas and line ends inside quotes', () => {
  const { intents, texts } = withFile('text,category\n"a, ""b""\nc",two\nplain,one\r\n', readBanking77);
  expect(intents).toEqual(['one', 'two']);
  expect(texts).toEqual([
    { text: 'a, "b"\nc', label: 1 },
    { text: 'plain', label: 0 },
  ]);
});

test.each(['text,category\nonly one\n', 'text,category\na,b,c\n', 'category,text\na,b\n', 'text,category\n"open,b\n'])(
  'a file of another form is refused: %j',
  (content) => {
    expect(() => withFile(content, readBanking77)).toThrow(/expected|no field/);
  },
);

test('the classes found least often come first, with what they are taken for', () => {
  const scores = scoreClasses([0, 0, 1, 1, 2], [0, 1, 1, 1, 0], 3);
  expect(scores).toEqual([
    { label: 2, rows: 1, recall: 0, precision: 0, mistakenFor: 0 },
    { label: 0, rows: 2, recall: 1 / 2, precision: 1 / 2, mistakenFor: 1 },
    { label: 1, rows: 2, recall: 1, precision: 2 / 3, mistakenFor: 1 },
  ]);
});

test.skipIf(dataMissing)('at least 88 % of the test rows are right, as the card says', async () => {
  const { texts, intents } = readBanking77(join(DATA, 'test.csv'));
  expect([texts.length, intents.length]).toEqual([3080, 77]);
  const guesses = await guessLabels(join(FOLDER, 'model.onnx'), texts, intents);
  const truth = texts.map(({ label }) => label);
  const scores = scoreGuesses(truth, guesses, intents.length);
  expect(scores.accuracy).toBeGreaterThanOrEqual(0.88);
  const card = readFileSync(join(FOLDER, 'MODEL_CARD.md'), 'utf8');
  expect(card).toMatch(new RegExp(`${(scores.accuracy * 100).toFixed(1)} % +\\| ${scores.macroF1.toFixed(3)}`));
});

test.skipIf(dataMissing)('training again gives the committed files to the byte', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-train-'));
  try {
    await trainTicketIntent(DATA, folder, () => {});
    for (const file of ['model.onnx', 'manifest.json', 'reference.json', 'MODEL_CARD.md']) {
      expect(Buffer.compare(readFileSync(join(folder, file)), readFileSync(join(FOLDER, file))), file).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('training says which models there are, and what is missing', () => {
  const train = (...options: string[]) =>
    spawnSync(process.execPath, ['models/train.ts', ...options], { cwd: ROOT, encoding: 'utf8' });
  expect(train('nothing')).toMatchObject({ status: 2, stderr: expect.stringContaining('ticket-intent') });
  const missing = train('ticket-intent', '--data', 'nowhere');
  expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('banking77 is not there') });
});
