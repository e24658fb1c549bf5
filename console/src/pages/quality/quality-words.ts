import type { Quality, QualityCheck, TenantQualityCheck } from '../../api/api.ts';

type Status = Quality['status'];

export const STATUS_TONES = {
  ok: 'success',
  drifting: 'warning',
  drifted: 'error',
  'too-few': 'pending',
  'no-reference': 'info',
} as const satisfies Readonly<Record<Status, string>>;

export const STATUS_TEXTS: Readonly<Record<Status, string>> = {
  ok: 'as the reference',
  drifting: 'drifting',
  drifted: 'drifted',
  'too-few': 'too little to say',
  'no-reference': 'no reference',
};

/** What is meant by a status, in a sentence. */
export const STATUS_SENTENCES: Readonly<Record<Status, string>> = {
  ok: 'What the version is asked and answers is like its reference.',
  drifting: 'The last windows differ from the reference, not yet as many in a row as make an alarm.',
  drifted: 'As many windows in a row as make an alarm differ from the reference, by more than chance gives.',
  'too-few': 'Fewer rows were answered than a comparison needs.',
  'no-reference': 'There is nothing to compare with: choose a reference.',
};

export const REFERENCE_TEXTS: Readonly<Record<NonNullable<Quality['reference']>['kind'], string>> = {
  validation: 'what validation saw',
  training: 'its training data',
  window: 'a window of production',
};

export const METHOD_TEXTS: Readonly<Record<QualityCheck['method'], string>> = {
  js: 'Jensen-Shannon distance',
  psi: 'Population stability index',
  ks: 'Kolmogorov-Smirnov distance',
  wasserstein: 'Wasserstein distance, normalised',
};

/** What a check is of, as people say it. */
export function subjectOf({ subject, name }: Pick<TenantQualityCheck, 'subject' | 'name'>): string {
  if (subject === 'labels') return 'Labels';
  if (subject === 'confidence') return 'Confidence';
  const at = name.lastIndexOf('.');
  return at < 0 ? `Input ${name}` : `Input ${name.slice(0, at)}: ${name.slice(at + 1).replaceAll('-', ' ')}`;
}
