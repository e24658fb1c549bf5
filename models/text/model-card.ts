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
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const row = (split: string, scores: Scores) =>
    `| ${split} | ${scores.rows} | ${percent(scores.accuracy)} | ${scores.macroF1.toFixed(3)} | ${percent(scores.majority)} |`;
  return `# ticket-sentiment

Says whether a short English text is negative, neutral or positive. One ONNX graph takes raw strings: lower-casing (A to Z),
tokenizing, TF-IDF of words and pairs of words, multinomial logistic regression. It is a sample model: small, fast, and trained
on forum posts, not on support tickets.

| | |
|---|---|
| input | \`text\`: BYTES [batch] |
| outputs | \`label\`: BYTES [batch] (\`negative\`, \`neutral\`, \`positive\`); \`probabilities\`: FP32 [batch, 3], in that order |
| size | ${facts.terms} terms, ${Math.round(facts.modelBytes / 1024)} KiB |
| license | Apache-2.0, as the data |

## Data

GoEmotions (Demszky et al. 2020: comments on Reddit with emotion labels) in the grouping of monologg/GoEmotions-pytorch,
\`data/group\`, Apache-2.0. Only rows with exactly one label are used, and not those labelled ambiguous: ${facts.trainingRows} rows to
train on. \`dev.tsv\` chose the settings; \`test.tsv\` was only measured. The text is real and some of it is coarse, so coarse
words are among the model's terms.

## Measured

With onnxruntime-node on the file that lies here. The majority baseline always names the most frequent class.

| split | rows | accuracy | macro-F1 | majority baseline |
|---|---|---|---|---|
${row('dev', facts.dev)}
${row('test', facts.test)}

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
