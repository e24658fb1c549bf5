/** What a check is about. */
export const SUBJECTS = ['labels', 'confidence', 'input'] as const;

/** Jensen-Shannon, population stability index, Kolmogorov-Smirnov, Wasserstein. */
export const METHODS = ['js', 'psi', 'ks', 'wasserstein'] as const;

/** What validation saw of golden pairs, `reference.json` of the model folder, or a span of production. */
export const REFERENCE_KINDS = ['validation', 'training', 'window'] as const;
export type ReferenceKind = (typeof REFERENCE_KINDS)[number];

/** `drifting`: in some windows, not in as many in a row as an alarm needs. `too-few`: rows, of the window or the reference. */
export const QUALITY_STATUSES = ['ok', 'drifting', 'drifted', 'too-few', 'no-reference'] as const;
export type QualityStatus = (typeof QUALITY_STATUSES)[number];
