import { existsSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeModelFolder } from './model-folder.ts';
import { readBanking77 } from './text/banking77.ts';
import { intentCard } from './text/intent-card.ts';
import { INTENTS } from './text/intents.ts';
import { type LabelledText, readLabelledTexts } from './text/labelled-texts.ts';
import { modelCard } from './text/model-card.ts';
import { writeTextReference } from './text/reference.ts';
import { type Scores, scoreClasses, scoreGuesses } from './text/scores.ts';
import { exportTextModel, guessLabels, trainTextModel } from './text/text-model.ts';
import * as intent from './text/ticket-intent.ts';
import * as sentiment from './text/ticket-sentiment.ts';
import { learnVocabulary, VOCABULARY_FILE } from './text-encoder.ts';

const SENTIMENT_SPLITS = ['train', 'dev', 'test'] as const;
const WORST_SHOWN = 5;

type Progress = (line: string) => void;

/**
 * Trains ticket-sentiment on the GoEmotions splits in `dataFolder` and writes it to `folder`. Throws if the written graph
 * names another label than the trainer for any row of dev or test: then tokenizing or arithmetic differ.
 */
export async function trainTicketSentiment(
  dataFolder: string,
  folder: string,
  onProgress: Progress,
): Promise<{ dev: Scores; test: Scores }> {
  const [train, dev, test] = SENTIMENT_SPLITS.map((split) => readLabelledTexts(join(dataFolder, `${split}.tsv`))) as [
    LabelledText[],
    LabelledText[],
    LabelledText[],
  ];
  const { MANIFEST: manifest, GOLDEN_INPUTS: goldenInputs, SETTINGS: settings } = sentiment;
  const { labels } = settings;
  const model = trainTextModel(train, settings, onProgress);
  await writeModelFolder(folder, { manifest, model: exportTextModel(model, labels), goldenInputs });
  const modelPath = join(folder, 'model.onnx');
  const scoresOf = async (texts: readonly LabelledText[]) =>
    scoreGuesses(truthOf(texts), await guessLabels(modelPath, texts, labels, model), labels.length);
  const scores = { dev: await scoresOf(dev), test: await scoresOf(test) };
  await writeTextReference(folder, textsOf(dev), { labels, maxLength: sentiment.MAX_LENGTH });
  const facts = {
    trainingRows: train.length,
    terms: model.vocabulary.terms.length,
    modelBytes: statSync(modelPath).size,
    ...scores,
  };
  writeFileSync(join(folder, 'MODEL_CARD.md'), modelCard(facts));
  return scores;
}

/** Trains ticket-intent on banking77 in `dataFolder` and writes it to `folder`; throws as `trainTicketSentiment` does. */
export async function trainTicketIntent(
  dataFolder: string,
  folder: string,
  onProgress: Progress,
): Promise<{ test: Scores }> {
  const train = readBanking77(join(dataFolder, 'train.csv'));
  const { texts: rows, intents: labels } = readBanking77(join(dataFolder, 'test.csv'));
  if (labels.join() !== train.intents.join()) throw new Error('the splits of banking77 have other intents');
  if (labels.join() !== INTENTS.join()) throw new Error('banking77 has other intents than models/text/intents.ts');
  const { MANIFEST: manifest, GOLDEN_INPUTS: goldenInputs, SETTINGS: settings } = intent;
  const model = trainTextModel(train.texts, { ...settings, labels }, onProgress);
  await writeModelFolder(folder, { manifest, model: exportTextModel(model, labels), goldenInputs });
  const modelPath = join(folder, 'model.onnx');
  const guesses = await guessLabels(modelPath, rows, labels, model);
  const test = scoreGuesses(truthOf(rows), guesses, labels.length);
  await writeTextReference(folder, textsOf(rows), { labels, maxLength: intent.MAX_LENGTH });
  const worst = scoreClasses(truthOf(rows), guesses, labels.length).slice(0, WORST_SHOWN);
  const facts = {
    trainingRows: train.texts.length,
    intents: labels.length,
    terms: model.vocabulary.terms.length,
    modelBytes: statSync(modelPath).size,
    test,
    worst: worst.map((each) => ({ ...each, intent: labels[each.label]!, takenFor: labels[each.mistakenFor]! })),
  };
  writeFileSync(join(folder, 'MODEL_CARD.md'), intentCard(facts));
  return { test };
}

/** Writes the vocabulary of text-encoder, whose weights are not trained, to `folder`. */
export async function trainTextEncoder(dataFolder: string, folder: string): Promise<Record<string, never>> {
  const { texts } = readBanking77(join(dataFolder, 'train.csv'));
  writeFileSync(join(folder, basename(VOCABULARY_FILE)), learnVocabulary(texts.map(({ text }) => text)));
  return {};
}

function textsOf(rows: readonly LabelledText[]): string[] {
  return rows.map(({ text }) => text);
}

function truthOf(texts: readonly LabelledText[]): number[] {
  return texts.map(({ label }) => label);
}

type Training = {
  /** The name of the data and of its folder. */
  readonly data: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly train: (dataFolder: string, folder: string, onProgress: Progress) => Promise<Record<string, Scores>>;
};

const TRAININGS: Readonly<Record<string, Training>> = {
  'ticket-sentiment': {
    data: 'GoEmotions',
    folder: 'goemotions',
    files: SENTIMENT_SPLITS.map((split) => `${split}.tsv`),
    train: trainTicketSentiment,
  },
  'ticket-intent': {
    data: 'banking77',
    folder: 'banking77',
    files: ['train.csv', 'test.csv'],
    train: trainTicketIntent,
  },
  'text-encoder': { data: 'banking77', folder: 'banking77', files: ['train.csv'], train: trainTextEncoder },
};

/** `models/train.ts [model] [--data folder] [--out folder]`. */
async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..');
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { data: { type: 'string' }, out: { type: 'string' } },
  });
  const [name = 'ticket-sentiment'] = positionals;
  const training = Object.hasOwn(TRAININGS, name) ? TRAININGS[name] : undefined;
  if (training === undefined) {
    console.error(`There is no training of ${name}; there is ${Object.keys(TRAININGS).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const data = resolve(values.data ?? join(root, '..', 'shared', 'data', training.folder));
  const missing = training.files.map((file) => join(data, file)).filter((file) => !existsSync(file));
  if (missing.length > 0) {
    console.error(`${training.data} is not there: ${missing.join(', ')}. Name its folder with --data.`);
    process.exitCode = 1;
    return;
  }
  const out = resolve(values.out ?? join(root, 'models', name));
  const scores = await training.train(data, out, (line) => console.error(line));
  for (const [split, { accuracy, macroF1, majority }] of Object.entries(scores)) {
    console.log(
      `${split}: accuracy ${accuracy.toFixed(4)}, macro-F1 ${macroF1.toFixed(4)}, majority ${majority.toFixed(4)}`,
    );
  }
}

if (import.meta.main) await main();
