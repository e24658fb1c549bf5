import type { Platform } from '../../core/ports/platform.ts';
import { Confidence } from '../../core/quality/confidence.ts';
import type { Profile } from '../../core/quality/drift/profile.ts';
import { rowsOf } from '../../core/quality/drift/profile.ts';
import type { JudgedWindow, QualityNotice, QualityState } from '../../core/quality/drift/quality-record.ts';
import type { Reference } from '../../core/quality/drift/reference.ts';
import { type InputProfile, profileIn } from '../../core/quality/input-profile.ts';
import { LabelCounts } from '../../core/quality/label-counts.ts';
import { Sketch } from '../../core/quality/sketch.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { MINUTE_MS } from '../../core/units.ts';

/** Rows by label, and the confidence of all of them. */
export function aProfile(labels: Readonly<Record<string, number>>, confidence = 0.9): Profile {
  const profile: Profile = { labels: new LabelCounts(), confidence: new Confidence(), inputs: new Map() };
  for (const [label, rows] of Object.entries(labels)) {
    if (rows > 0) profile.labels.add(label, rows);
    for (let row = 0; row < rows; row += 1) profile.confidence.add(confidence);
  }
  return profile;
}

/** What texts of these lengths are like, each of letters alone; empty ones are missing. */
export function ofTexts(lengths: readonly number[], changes: Partial<InputProfile> = {}): InputProfile {
  const profile = profileIn(new Map(), 'text')!;
  profile.lengths = new Sketch();
  profile.classes = [0, 0, 0, 0, 0, 0, 0];
  for (const length of lengths) {
    profile.rows += 1;
    if (length === 0) profile.missing += 1;
    profile.lengths.add(length);
    profile.classes[0]! += length;
  }
  return Object.assign(profile, changes);
}

export function aReference(profile: Profile, changes: Partial<Reference> = {}): Reference {
  const span = { fromMs: undefined, untilMs: undefined };
  return { kind: 'training', ...span, madeAtMs: 1, rows: rowsOf(profile), profile, ...changes };
}

let sequence = 0;

/** Reports that a version saw all of this in the minute before `untilMs`. */
export async function sawBefore(
  { telemetry }: Pick<Platform, 'telemetry'>,
  untilMs: number,
  profile: Profile,
  name = { model: 'm', version: '1' },
): Promise<void> {
  sequence += 1;
  const windowStartMs = untilMs - MINUTE_MS;
  const seen = { ...emptyTelemetry(), ...profile, requests: rowsOf(profile) };
  await telemetry.append([{ ...name, windowStartMs, writer: 'w', sequence, shard: 1, telemetry: seen }]);
}

/** The first state of a version of model m, and each next one with `epoch`. */
export function aState(nowMs: number, changes: Partial<QualityState> = {}): QualityState {
  return {
    model: 'm',
    version: '1',
    epoch: 1,
    checkedAtMs: nowMs,
    dueAtMs: nowMs + MINUTE_MS,
    openFromMs: nowMs,
    referenceMadeAtMs: 0,
    windowsInARow: { labels: 2 },
    unseen: [['maybe', 20]],
    isDrifted: false,
    missingClasses: [],
    trainedAtMs: 0,
    untold: [],
    ...changes,
  };
}

export function aJudgedWindow(untilMs: number, changes: Partial<JudgedWindow> = {}): JudgedWindow {
  const checks = [{ name: 'labels', value: 0.25, drifted: true }];
  return { fromMs: untilMs - MINUTE_MS, untilMs, status: 'drifting', rows: 250, checks, missingClasses: 0, ...changes };
}

/** That version 1 of model m has drifted in a quarter of an hour before noon. */
export function aNotice(changes: Partial<QualityNotice> = {}): QualityNotice {
  const untilMs = Date.UTC(2026, 0, 15, 12);
  return {
    event: 'model.drifted',
    reason: 'drift',
    model: 'm',
    version: '1',
    atMs: untilMs,
    window: { fromMs: untilMs - 15 * MINUTE_MS, untilMs },
    checks: [{ name: 'labels', value: 0.31, threshold: 0.1 }],
    missingClasses: 0,
    ...changes,
  };
}
