import type { InputProfile } from '../input-profile.ts';
import { type Check, classShift, compareProfiles } from './compare.ts';
import type { QualityStatus } from './names.ts';
import { type Profile, rowsOf } from './profile.ts';
import type { QualityReport } from './quality-record.ts';
import type { Reference } from './reference.ts';
import type { DriftRules } from './rules.ts';

/** A report tells of so many labels: those with the largest shares, of either side. */
const MOST_LABELS = 200;

export type Window = { readonly fromMs: number; readonly untilMs: number };

/** What is known from the windows before. */
export type Before = {
  readonly windowsInARow: Readonly<Record<string, number>>;
  readonly missingClasses: readonly string[];
};

export type Compared = {
  readonly reference: Reference | undefined;
  readonly current: Profile;
  readonly window: Window;
  readonly rules: DriftRules;
  readonly before: Before;
  readonly nowMs: number;
};

/** How a window compares. `isOver`: it counts; else it says what it would come to if it ended now. */
export function reportOf(
  { reference, current, window, rules, before, nowMs }: Compared,
  isOver: boolean,
): QualityReport {
  const checks = reference === undefined ? [] : compareProfiles(reference.profile, current, rules);
  const counted = checks.map((check) => ({ ...check, windowsInARow: inARow(check, before, isOver) }));
  return {
    checkedAtMs: nowMs,
    window: { ...window },
    rows: rowsOf(current),
    status: statusOf(reference, counted, before, rules),
    reference: reference && {
      kind: reference.kind,
      fromMs: reference.fromMs,
      untilMs: reference.untilMs,
      rows: reference.rows,
    },
    alarmsAfter: rules.alarmAfter,
    checks: counted,
    labels: labelsOf(reference?.profile, current),
    missingClasses: [...before.missingClasses],
    dataQuality: [...current.inputs].map(([input, seen]) => inputOf(input, seen, reference?.profile.inputs.get(input))),
    confidence: { reference: reference?.profile.confidence.bins, current: current.confidence.bins },
  };
}

/** A window that was not judged is no evidence: it neither goes on with a row of windows nor ends it. */
function inARow({ name, judged, drifted }: Check, { windowsInARow }: Before, isOver: boolean): number {
  const so = windowsInARow[name] ?? 0;
  if (!judged || !isOver) return so;
  return drifted ? so + 1 : 0;
}

function statusOf(
  reference: Reference | undefined,
  checks: QualityReport['checks'],
  { windowsInARow }: Before,
  { alarmAfter }: DriftRules,
): QualityStatus {
  if (reference === undefined || reference.rows === 0) return 'no-reference';
  const rows = Object.values({
    ...windowsInARow,
    ...Object.fromEntries(checks.map((each) => [each.name, each.windowsInARow])),
  });
  if (rows.some((row) => row >= alarmAfter)) return 'drifted';
  if (rows.some((row) => row > 0) || checks.some(({ drifted }) => drifted)) return 'drifting';
  return checks.some(({ judged }) => judged) ? 'ok' : 'too-few';
}

function labelsOf(reference: Profile | undefined, current: Profile): QualityReport['labels'] {
  const names = new Set([...(reference?.labels.labels() ?? []), ...current.labels.labels()]);
  const share = (profile: Profile | undefined, label: string) =>
    profile === undefined || profile.labels.total === 0 ? undefined : profile.labels.get(label) / profile.labels.total;
  const labels = [...names].map((label) => ({
    label,
    referenceShare: share(reference, label),
    share: share(current, label),
  }));
  const weight = (each: (typeof labels)[number]) => Math.max(each.referenceShare ?? 0, each.share ?? 0);
  return labels.sort((a, b) => weight(b) - weight(a) || (a.label < b.label ? -1 : 1)).slice(0, MOST_LABELS);
}

function inputOf(
  input: string,
  seen: InputProfile,
  reference: InputProfile | undefined,
): QualityReport['dataQuality'][number] {
  return {
    input,
    ...figuresOf(seen),
    classShift: reference && classShift(reference, seen),
    reference: reference && figuresOf(reference),
  };
}

function figuresOf({ rows, missing, tooLong }: InputProfile) {
  return rows === 0 ? { rows } : { rows, missingShare: missing / rows, tooLongShare: tooLong / rows };
}
