import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bytesTensor, openSession, runModel } from './golden.ts';
import { writeModelFolder } from './model-folder.ts';
import { type LabelledText, readLabelledTexts, SENTIMENTS } from './text/labelled-texts.ts';
import { classify } from './text/logistic-regression.ts';
import { modelCard } from './text/model-card.ts';
import { type Scores, scoreGuesses } from './text/scores.ts';
import { exportTextModel, GOLDEN_INPUTS, MANIFEST, type TextModel, trainTextModel } from './text/ticket-sentiment.ts';
import { listTerms, splitTokens } from './text/tokens.ts';
import { vectorizer } from './text/vocabulary.ts';

const SPLITS = ['train', 'dev', 'test'] as const;
const ROWS_PER_RUN = 256;

/**
 * Trains ticket-sentiment on the GoEmotions splits in `dataFolder` and writes it to `folder`. Throws if the written graph
 * names another label than the trainer for any row of dev or test: then tokenizing or arithmetic differ.
 */
export async function trainTicketSentiment(
  dataFolder: string,
  folder: string,
  onProgress: (line: string) => void,
): Promise<{ dev: Scores; test: Scores }> {
  const [train, dev, test] = SPLITS.map((split) => readLabelledTexts(join(dataFolder, `${split}.tsv`))) as [
    LabelledText[],
    LabelledText[],
    LabelledText[],
  ];
  const model = trainTextModel(train, onProgress);
  await writeModelFolder(folder, { manifest: MANIFEST, model: exportTextModel(model), goldenInputs: GOLDEN_INPUTS });
  const modelPath = join(folder, 'model.onnx');
  const scores = { dev: await scoreModel(modelPath, dev, model), test: await scoreModel(modelPath, test, model) };
  writeFileSync(
    join(folder, 'MODEL_CARD.md'),
    modelCard({
      trainingRows: train.length,
      terms: model.vocabulary.terms.length,
      modelBytes: statSync(modelPath).size,
      ...scores,
    }),
  );
  return scores;
}

/** Labels by the graph at `modelPath`, against the truth; and against `trainer` if it is given. */
export async function scoreModel(
  modelPath: string,
  texts: readonly LabelledText[],
  trainer?: TextModel,
): Promise<Scores> {
  const session = await openSession(modelPath);
  const guesses: number[] = [];
  for (let from = 0; from < texts.length; from += ROWS_PER_RUN) {
    const rows = texts.slice(from, from + ROWS_PER_RUN).map((each) => each.text);
    const [label] = await runModel(session, [bytesTensor('text', rows)]);
    guesses.push(...label!.data.map((name) => SENTIMENTS.indexOf(name as (typeof SENTIMENTS)[number])));
  }
  await session.release();
  if (trainer !== undefined) {
    const expected = guessLabels(trainer, texts);
    const differing = expected.findIndex((label, row) => label !== guesses[row]);
    if (differing !== -1) throw new Error(`the graph and the trainer disagree on row ${differing}`);
  }
  return scoreGuesses(
    texts.map((each) => each.label),
    guesses,
    SENTIMENTS.length,
  );
}

function guessLabels({ vocabulary, linear }: TextModel, texts: readonly LabelledText[]): number[] {
  const vectorOf = vectorizer(vocabulary);
  return texts.map(({ text }) => {
    const shares = classify(linear, vectorOf(listTerms(splitTokens(text))));
    return shares.indexOf(Math.max(...shares));
  });
}

async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..');
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: join(root, '..', 'shared', 'data', 'goemotions') },
      out: { type: 'string', default: join(root, 'models', 'ticket-sentiment') },
    },
  });
  const data = resolve(values.data);
  const missing = SPLITS.map((split) => join(data, `${split}.tsv`)).filter((file) => !existsSync(file));
  if (missing.length > 0) {
    console.error(`GoEmotions is not there: ${missing.join(', ')}. Name its folder with --data.`);
    process.exitCode = 1;
    return;
  }
  const scores = await trainTicketSentiment(data, resolve(values.out), (line) => console.error(line));
  for (const [split, { accuracy, macroF1, majority }] of Object.entries(scores)) {
    console.log(
      `${split}: accuracy ${accuracy.toFixed(4)}, macro-F1 ${macroF1.toFixed(4)}, majority ${majority.toFixed(4)}`,
    );
  }
}

if (import.meta.main) await main();
