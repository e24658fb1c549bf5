/** The terms that a classifier looks at; a term's place is its feature. Single words come before pairs. */
export type Vocabulary = {
  readonly terms: readonly string[];
  /** ln((1 + texts) / (1 + texts with the term)) + 1, a term each. */
  readonly weights: Float32Array;
};

/** Sparse: `features` in ascending order, `values` of length 1 in the Euclidean norm (none if no term is known). */
export type TextVector = { readonly features: Int32Array; readonly values: Float32Array };

export type LabelledTerms = { readonly terms: readonly string[]; readonly label: number };

/**
 * The `size` terms whose presence says most about the label, by Pearson's chi-squared statistic, among those in at least
 * `leastTexts` texts. Equal statistics are told apart by the term, so that the choice does not depend on the order of texts.
 */
export function chooseVocabulary(
  texts: readonly LabelledTerms[],
  classes: number,
  size: number,
  leastTexts: number,
): Vocabulary {
  const classTexts = new Array<number>(classes).fill(0);
  const counts = new Map<string, number[]>();
  for (const { terms, label } of texts) {
    classTexts[label]!++;
    for (const term of new Set(terms)) {
      const perClass = counts.get(term) ?? new Array<number>(classes).fill(0);
      perClass[label]!++;
      counts.set(term, perClass);
    }
  }
  const chosen = [...counts]
    .map(([term, perClass]) => ({ term, texts: sum(perClass), score: chiSquared(perClass, classTexts) }))
    .filter((each) => each.texts >= leastTexts)
    .sort((a, b) => b.score - a.score || compare(a.term, b.term))
    .slice(0, size)
    .sort((a, b) => Number(a.term.includes(' ')) - Number(b.term.includes(' ')) || compare(a.term, b.term));
  return {
    terms: chosen.map((each) => each.term),
    weights: Float32Array.from(chosen, (each) => Math.log((1 + texts.length) / (1 + each.texts)) + 1),
  };
}

/** TF-IDF: a term's count times its weight, the whole scaled to length 1. */
export function vectorizer(vocabulary: Vocabulary): (terms: readonly string[]) => TextVector {
  const featureOf = new Map(vocabulary.terms.map((term, feature) => [term, feature]));
  return (terms) => {
    const counts = new Map<number, number>();
    for (const term of terms) {
      const feature = featureOf.get(term);
      if (feature !== undefined) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    }
    const features = Int32Array.from(counts.keys()).sort();
    const values = Float32Array.from(features, (feature) => counts.get(feature)! * vocabulary.weights[feature]!);
    const length = Math.sqrt(sum(values.map((value) => value * value)));
    return { features, values: length === 0 ? values : values.map((value) => value / length) };
  };
}

/** Observed against expected texts with the term, over the classes. */
function chiSquared(withTerm: readonly number[], classTexts: readonly number[]): number {
  const share = sum(withTerm) / sum(classTexts);
  return sum(
    withTerm.map((observed, label) => (observed - share * classTexts[label]!) ** 2 / (share * classTexts[label]!)),
  );
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
