import type { OnnxModel } from '../../adapters/onnx/graph/messages.ts';
import { bytesTensor, openSession, runModel } from '../golden.ts';
import { textClassifier } from './classifier-graph.ts';
import type { LabelledText } from './labelled-texts.ts';
import { classify, type LinearModel, trainLogisticRegression } from './logistic-regression.ts';
import { listTerms, splitTokens } from './tokens.ts';
import { chooseVocabulary, type Vocabulary, vectorizer } from './vocabulary.ts';

const ROWS_PER_RUN = 256;

/** What a text classifier is made by; the rest is in the texts. */
export type TextModelSettings = {
  /** In the order of the outputs. */
  readonly labels: readonly string[];
  /** Words and pairs that it looks at, each in at least `leastTexts` texts. */
  readonly terms: number;
  readonly leastTexts: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly decay: number;
  readonly seed: number;
};

export type TextModel = { readonly vocabulary: Vocabulary; readonly linear: LinearModel };

/** Deterministic. `onProgress` gets lines for people. */
export function trainTextModel(
  texts: readonly LabelledText[],
  settings: TextModelSettings,
  onProgress: (line: string) => void,
): TextModel {
  const { epochs, learningRate, decay, seed } = settings;
  const classes = settings.labels.length;
  const labelled = texts.map(({ text, label }) => ({ terms: listTerms(splitTokens(text)), label }));
  const vocabulary = chooseVocabulary(labelled, classes, settings.terms, settings.leastTexts);
  onProgress(`${texts.length} texts, ${vocabulary.terms.length} terms`);
  const vectorOf = vectorizer(vocabulary);
  const examples = labelled.map(({ terms, label }) => ({ vector: vectorOf(terms), label }));
  const linear = trainLogisticRegression(
    examples,
    { classes, features: vocabulary.terms.length, epochs, learningRate, decay, seed },
    (epoch, loss) => onProgress(`epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}`),
  );
  return { vocabulary, linear };
}

/** The whole of it as one graph, strings in. */
export function exportTextModel({ vocabulary, linear }: TextModel, labels: readonly string[]): OnnxModel {
  return textClassifier(vocabulary, linear, labels);
}

/**
 * Labels, as places in `labels`, that the graph at `modelPath` gives the texts. Throws if `trainer` is given and names
 * another for any of them: then tokenizing or arithmetic differ.
 */
export async function guessLabels(
  modelPath: string,
  texts: readonly LabelledText[],
  labels: readonly string[],
  trainer?: TextModel,
): Promise<number[]> {
  const session = await openSession(modelPath);
  const guesses: number[] = [];
  for (let from = 0; from < texts.length; from += ROWS_PER_RUN) {
    const rows = texts.slice(from, from + ROWS_PER_RUN).map((each) => each.text);
    const [label] = await runModel(session, [bytesTensor('text', rows)]);
    guesses.push(...label!.data.map((name) => labels.indexOf(String(name))));
  }
  await session.release();
  const expected = trainer === undefined ? guesses : guessByTrainer(trainer, texts);
  const differing = expected.findIndex((label, row) => label !== guesses[row]);
  if (differing !== -1) throw new Error(`the graph and the trainer disagree on row ${differing}`);
  return guesses;
}

function guessByTrainer({ vocabulary, linear }: TextModel, texts: readonly LabelledText[]): number[] {
  const vectorOf = vectorizer(vocabulary);
  return texts.map(({ text }) => {
    const shares = classify(linear, vectorOf(listTerms(splitTokens(text))));
    return shares.indexOf(Math.max(...shares));
  });
}
