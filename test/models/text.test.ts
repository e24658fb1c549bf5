import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLabelledTexts } from '../../models/text/labelled-texts.ts';
import { classify, trainLogisticRegression } from '../../models/text/logistic-regression.ts';
import { scoreGuesses } from '../../models/text/scores.ts';
import { listTerms, splitTokens } from '../../models/text/tokens.ts';
import { chooseVocabulary, vectorizer } from '../../models/text/vocabulary.ts';

const TEXTS = [
  { terms: ['good', 'the', 'good the'], label: 1 },
  { terms: ['good', 'the', 'the good'], label: 1 },
  { terms: ['bad', 'the', 'bad the'], label: 0 },
  { terms: ['bad', 'the', 'the bad'], label: 0 },
];

function withFile<T>(content: string, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-texts-'));
  try {
    writeFileSync(join(folder, 'rows.tsv'), content);
    return use(join(folder, 'rows.tsv'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('rows with several labels or the ambiguous one are left out', () => {
  const rows = withFile('a\t1\tx\nb\t2,3\tx\nc\t0\tx\nd\t3\tx\n', readLabelledTexts);
  expect(rows).toEqual([
    { text: 'a', label: 0 },
    { text: 'd', label: 2 },
  ]);
});

test.each(['a\t1', 'a\t4\tx', 'a\t1\tx\ty', 'a\t\tx'])(
  'a line of another form is refused with its number: %j',
  (line) => {
    expect(() => withFile(`ok\t1\tx\n${line}\n`, readLabelledTexts)).toThrow('line 2');
  },
);

test('words keep their apostrophes, other characters stand alone, only A to Z is lower-cased', () => {
  expect(splitTokens("Don’t STOP: it's ÉTÉ 👍!")).toEqual(['don’t', 'stop', ':', "it's", 'ÉtÉ', '👍', '!']);
  expect(splitTokens(' \t\n')).toEqual([]);
});

test('terms are the tokens and each pair of neighbours', () => {
  expect(listTerms(['a', 'b', 'c'])).toEqual(['a', 'b', 'c', 'a b', 'b c']);
  expect(listTerms([])).toEqual([]);
});

test('the vocabulary takes what tells the labels apart and leaves what is everywhere or rare', () => {
  expect(chooseVocabulary(TEXTS, 2, 2, 2).terms).toEqual(['bad', 'good']);
  expect(chooseVocabulary([...TEXTS].reverse(), 2, 2, 2).terms).toEqual(['bad', 'good']);
});

test('a vector has length 1, and none where no term is known', () => {
  const vectorOf = vectorizer(chooseVocabulary(TEXTS, 2, 3, 2));
  expect(Math.hypot(...vectorOf(['good', 'the', 'the']).values)).toBeCloseTo(1, 6);
  expect(vectorOf(['unheard']).values.length).toBe(0);
});

test('regression tells separable texts apart, gives probabilities, and repeats itself to the bit', () => {
  const vocabulary = chooseVocabulary(TEXTS, 2, 3, 2);
  const vectorOf = vectorizer(vocabulary);
  const examples = TEXTS.map(({ terms, label }) => ({ vector: vectorOf(terms), label }));
  const options = { classes: 2, features: 3, epochs: 20, learningRate: 0.5, decay: 1e-3, seed: 1 };
  const losses: number[] = [];
  const model = trainLogisticRegression(examples, options, (_, loss) => losses.push(loss));
  for (const { vector, label } of examples) {
    const shares = classify(model, vector);
    expect(shares[label]).toBeGreaterThan(0.9);
    expect(shares[0]! + shares[1]!).toBeCloseTo(1, 12);
  }
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  expect(trainLogisticRegression(examples, options, () => {})).toEqual(model);
});

test('scores are the textbook ones', () => {
  // class 0: precision 1/2, recall 1; class 1: precision 1, recall 1/2; class 2: never guessed
  const scores = scoreGuesses([0, 1, 1, 2], [0, 0, 1, 1], 3);
  expect(scores).toEqual({ rows: 4, accuracy: 0.5, macroF1: (2 / 3 + 1 / 2 + 0) / 3, majority: 0.5 });
});
