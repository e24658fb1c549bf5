import type { Scores } from './scores.ts';

type CardFacts = {
  readonly trainingRows: number;
  readonly terms: number;
  readonly modelBytes: number;
  readonly dev: Scores;
  readonly test: Scores;
};

/** MODEL_CARD.md of ticket-sentiment, with what training measured. */
export function modelCard(facts: CardFacts): string {
  const summary = [
    ['', ''],
    ['input', '`text`: BYTES [batch]'],
    ['outputs', '`label`: BYTES [batch]; `probabilities`: FP32 [batch, 3], of `negative`, `neutral`, `positive`'],
    ['size', `${facts.terms} terms, ${Math.round(facts.modelBytes / 1024)} KiB`],
    ['license', 'Apache-2.0, as the data'],
  ];
  const measured = [
    ['split', 'rows', 'accuracy', 'macro-F1', 'majority baseline'],
    ['dev', ...scoreCells(facts.dev)],
    ['test', ...scoreCells(facts.test)],
  ];
  return `# ticket-sentiment

Says whether a short English text is negative, neutral or positive. One ONNX graph takes raw strings: lower-casing (A to Z),
tokenizing, TF-IDF of words and pairs of words, multinomial logistic regression. It is a sample model: small, fast, and trained
on forum posts, not on support tickets.

${table(summary)}

## Data

GoEmotions (Demszky et al. 2020: comments on Reddit with emotion labels) in the grouping of monologg/GoEmotions-pytorch,
\`data/group\`, Apache-2.0. Only rows with exactly one label are used, and not those labelled ambiguous: ${facts.trainingRows} rows to
train on. \`dev.tsv\` chose the settings; \`test.tsv\` was only measured. The text is real and some of it is coarse, so coarse
words are among the model's terms.

## Measured

With onnxruntime-node on the file that lies here. The majority baseline always names the most frequent class.

${table(measured)}

## Limits

It knows words, not meaning: irony, negation over a distance and languages other than English are lost on it. A text without a
known term (an empty one too) gets the answer that the intercepts alone give. Comments are not tickets: measure on your own text
before you rely on it.

## Make it again

\`\`\`
npm run models:train -- --data ../shared/data/goemotions
\`\`\`

The same data gives the same bytes: one thread, one seed.
`;
}

/** Rows, accuracy, macro-F1 and the majority baseline of a split, for a table. */
export function scoreCells({ rows, accuracy, macroF1, majority }: Scores): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [String(rows), percent(accuracy), macroF1.toFixed(3), percent(majority)];
}

/** A Markdown table as Biome formats it: cells padded to their column, dashes of at least three. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]!))));
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
