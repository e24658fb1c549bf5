import { missingOf, type Unseen, unseenAfter } from './missing-classes.ts';
import { type Profile, rowsOf } from './profile.ts';
import type { JudgedWindow, QualityNotice, QualityReport, QualityState } from './quality-record.ts';
import type { Reference } from './reference.ts';
import { reportOf, type Window } from './report.ts';
import type { DriftRules } from './rules.ts';

export type Ended = {
  readonly state: QualityState;
  readonly reference: Reference | undefined;
  readonly rules: DriftRules;
  readonly current: Profile;
  readonly window: Window;
  readonly nowMs: number;
};

/** Somebody is told at most so much at once: a version that changes its mind every window says nothing new. */
const MOST_UNTOLD = 20;

/** What a state becomes with one more window, and what the history keeps of it. */
export function judge(ended: Ended): { readonly state: QualityState; readonly judged: JudgedWindow } {
  const { state, reference, rules, current, window, nowMs } = ended;
  const expected = reference?.profile.labels;
  const unseen: Unseen =
    expected === undefined ? new Map() : unseenAfter(new Map(state.unseen), expected, current.labels);
  const missingClasses = expected === undefined ? [] : missingOf(unseen, expected, rules.minSamples);
  const before = { windowsInARow: state.windowsInARow, missingClasses };
  const report = reportOf({ reference, current, window, rules, before, nowMs }, true);
  const rows = report.checks.map((check) => [check.name, check.windowsInARow] as const);
  const isDrifted = report.status === 'drifted';
  return {
    state: {
      ...state,
      windowsInARow: { ...state.windowsInARow, ...Object.fromEntries(rows) },
      unseen: [...unseen],
      isDrifted,
      missingClasses: [...missingClasses],
      untold: [...state.untold, ...newsOf(state, report)].slice(-MOST_UNTOLD),
      report,
    },
    judged: {
      ...window,
      status: report.status,
      rows: rowsOf(current),
      checks: report.checks.map(({ name, value, drifted }) => ({ name, value, drifted })),
      missingClasses: missingClasses.length,
    },
  };
}

/** What is told once: that it has drifted, and that a class comes no more. */
function newsOf(state: QualityState, report: QualityReport): readonly QualityNotice[] {
  const { model, version } = state;
  const notice = {
    event: 'model.drifted',
    model,
    version,
    atMs: report.checkedAtMs,
    window: report.window,
    checks: report.checks
      .filter(({ windowsInARow }) => windowsInARow >= report.alarmsAfter)
      .map(({ name, value, threshold }) => ({ name, value, threshold })),
    missingClasses: report.missingClasses.length,
  } as const;
  const hasDrifted = report.status === 'drifted' && !state.isDrifted;
  const misses = report.missingClasses.some((label) => !state.missingClasses.includes(label));
  return [
    ...(hasDrifted ? [{ ...notice, reason: 'drift' } as const] : []),
    ...(misses ? [{ ...notice, reason: 'missing-class' } as const] : []),
  ];
}
