import { scoreCells, table } from './model-card.ts';
import type { ClassScore, Scores } from './scores.ts';

type CardFacts = {
  readonly trainingRows: number;
  readonly intents: number;
  readonly terms: number;
  readonly modelBytes: number;
  readonly test: Scores;
  /** Of the test split, the worst first. */
  readonly worst: readonly (ClassScore & { readonly intent: string; readonly takenFor: string })[];
};

/** MODEL_CARD.md of ticket-intent, with what training measured. */
export function intentCard(facts: CardFacts): string {
  const summary = [
    ['', ''],
    ['input', '`text`: BYTES [batch]'],
    [
      'outputs',
      `\`label\`: BYTES [batch]; \`probabilities\`: FP32 [batch, ${facts.intents}], intents in alphabetical order`,
    ],
    ['size', `${facts.terms} terms, ${Math.round(facts.modelBytes / 1024)} KiB`],
    ['license', 'CC-BY-4.0, as the data'],
  ];
  const worst = [
    ['intent', 'rows', 'recall', 'precision', 'most often taken for'],
    ...facts.worst.map(({ intent, rows, recall, precision, takenFor }) => [
      intent,
      String(rows),
      percent(recall),
      percent(precision),
      takenFor,
    ]),
  ];
  return `# ticket-intent

Says what a customer of a bank wants, as one of ${facts.intents} intents. One ONNX graph takes raw strings: lower-casing (A to Z), tokenizing,
TF-IDF of words and pairs of words, multinomial logistic regression. It is a sample model: small, fast, in English, and
about one bank.

${table(summary)}

## Data

banking77 (Casanueva et al. 2020, "Efficient Intent Detection with Dual Sentence Encoders"), from PolyAI-LDN/task-specific-datasets,
\`banking_data\`, CC-BY-4.0: questions of customers, one intent each. ${facts.trainingRows} rows to train on. Folds of \`train.csv\` chose the
settings; \`test.csv\` was only measured. The model's terms are words and pairs of words of that data, so this folder is under
its license too.

## Measured

With onnxruntime-node on the file that lies here. The majority baseline always names the most frequent class.

${table([
  ['split', 'rows', 'accuracy', 'macro-F1', 'majority baseline'],
  ['test', ...scoreCells(facts.test)],
])}

The intents that are found least often:

${table(worst)}

## Limits

It knows words, not meaning, and it always names an intent: look at the probability before you act on the label. A text without
a known term (an empty one too) gets the answer that the intercepts alone give. Questions to another business have other
intents: train on your own.

## Make it again

\`\`\`
npm run models:train -- ticket-intent --data ../shared/data/banking77
\`\`\`

The same data gives the same bytes: one thread, one seed.
`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
