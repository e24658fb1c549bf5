import type { InputProfile } from '../input-profile.ts';
import { jensenShannonByChance, kolmogorovSmirnovByChance, psiByChance, wassersteinByChance } from './chance.ts';
import { type Distribution, totalOf } from './distribution.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import type { METHODS, SUBJECTS } from './names.ts';
import { confidenceCells, distributionOf, labelCells, type Profile } from './profile.ts';
import { populationStability } from './psi.ts';
import { type DriftRules, LEAST_REFERENCE_ROWS } from './rules.ts';
import { wasserstein } from './wasserstein.ts';

/** One distance between a window and the reference. */
export type Check = {
  readonly subject: (typeof SUBJECTS)[number];
  /** `labels`, `confidence`, or an input's name and what of it, such as `text.lengths`. */
  readonly name: string;
  readonly method: (typeof METHODS)[number];
  readonly value: number;
  /** The rules' threshold, or what chance alone gives between so few rows if that is more. */
  readonly threshold: number;
  /** Rows of the window. */
  readonly samples: number;
  /** False: the window or the reference has too few rows for it. */
  readonly judged: boolean;
  /** Judged, and above the threshold. */
  readonly drifted: boolean;
};

/** Up to so many rows of reference values are compared by their largest gap, more by how far they had to move: as Evidently does. */
const MOST_FOR_KS = 1000;

type Rules = Pick<DriftRules, 'threshold' | 'minSamples'>;
type Compared = Pick<Check, 'subject' | 'name'> & { readonly reference: number; readonly samples: number };
type Cells = readonly (readonly [reference: number, current: number])[];

/** Every check that both have rows for. */
export function compareProfiles(reference: Profile, current: Profile, rules: Rules): readonly Check[] {
  const checks = [
    compareLabels(reference, current, rules),
    compareConfidence(reference, current, rules),
    ...[...current.inputs].flatMap(([name, seen]) => {
      const expected = reference.inputs.get(name);
      return expected === undefined ? [] : compareInput(name, expected, seen, rules);
    }),
  ];
  return checks.filter((check) => check !== undefined);
}

/** How far the kinds of characters of two samples are apart: the Jensen-Shannon distance of their counts. */
export function classShift(reference: InputProfile, current: InputProfile): number | undefined {
  if (reference.classes === undefined || current.classes === undefined) return undefined;
  return jensenShannon(reference.classes, current.classes);
}

function compareLabels({ labels }: Profile, current: Profile, rules: Rules): Check | undefined {
  const compared = {
    subject: 'labels',
    name: 'labels',
    reference: labels.total,
    samples: current.labels.total,
  } as const;
  return byJensenShannon(compared, labelCells(labels, current.labels), rules);
}

function compareConfidence({ confidence }: Profile, current: Profile, rules: Rules): Check | undefined {
  const [reference, samples] = [confidence.count, current.confidence.count];
  const cells = confidenceCells(confidence.bins, current.confidence.bins);
  const value = populationStability(...sides(cells));
  const byChance = psiByChance(cells, reference, samples);
  return judge({ subject: 'confidence', name: 'confidence', reference, samples }, 'psi', value, byChance, rules);
}

function compareInput(name: string, reference: InputProfile, current: InputProfile, rules: Rules) {
  const of = (what: string) =>
    ({ subject: 'input', name: `${name}.${what}`, reference: reference.rows, samples: current.rows }) as const;
  const cellsOf = (count: 'missing' | 'tooLong'): Cells => [
    [reference[count], current[count]],
    [reference.rows - reference[count], current.rows - current[count]],
  ];
  const classes = reference.classes?.map((count, at) => [count, current.classes?.[at] ?? 0] as const);
  return [
    byJensenShannon(of('missing'), cellsOf('missing'), rules),
    byJensenShannon(of('too_long'), cellsOf('tooLong'), rules),
    reference.values && current.values && byValues(of('values'), reference.values, current.values, rules),
    reference.lengths && current.lengths && byValues(of('lengths'), reference.lengths, current.lengths, rules),
    // Characters of one text are alike: the rows are what is independent.
    classes && current.classes && byJensenShannon(of('classes'), classes, rules),
  ];
}

type AnySketch = Parameters<typeof distributionOf>[0];

/** Elements of one row are alike too. Rows without a value have none here. */
function byValues(of: Compared, a: AnySketch, b: AnySketch, rules: Rules) {
  const [reference, current] = [distributionOf(a), distributionOf(b)];
  const compared = {
    ...of,
    reference: Math.min(of.reference, totalOf(reference)),
    samples: Math.min(of.samples, totalOf(current)),
  };
  return compared.reference > MOST_FOR_KS
    ? byWasserstein(compared, reference, current, rules)
    : byKolmogorovSmirnov(compared, reference, current, rules);
}

function byWasserstein(compared: Compared, reference: Distribution, current: Distribution, rules: Rules) {
  const byChance = wassersteinByChance(reference, compared.reference, compared.samples);
  return judge(compared, 'wasserstein', wasserstein(reference, current), byChance, rules);
}

function byKolmogorovSmirnov(compared: Compared, reference: Distribution, current: Distribution, rules: Rules) {
  const byChance = kolmogorovSmirnovByChance(compared.reference, compared.samples);
  return judge(compared, 'ks', kolmogorovSmirnov(reference, current), byChance, rules);
}

function byJensenShannon(compared: Compared, cells: Cells, rules: Rules): Check | undefined {
  const used = cells.filter(([a, b]) => a + b > 0);
  const byChance = jensenShannonByChance(used, compared.reference, compared.samples);
  return judge(compared, 'js', jensenShannon(...sides(used)), byChance, rules);
}

function judge(
  { subject, name, reference, samples }: Compared,
  method: Check['method'],
  value: number | undefined,
  byChance: number,
  rules: Rules,
): Check | undefined {
  if (value === undefined || reference === 0 || samples === 0) return undefined;
  const threshold = Math.max(rules.threshold, byChance);
  const judged = samples >= rules.minSamples && reference >= LEAST_REFERENCE_ROWS;
  return { subject, name, method, value, threshold, samples, judged, drifted: judged && value > threshold };
}

function sides(cells: Cells): [reference: readonly number[], current: readonly number[]] {
  return [cells.map(([a]) => a), cells.map(([, b]) => b)];
}
