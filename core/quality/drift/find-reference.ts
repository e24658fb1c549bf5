import { Failure } from '../../failure.ts';
import { parseGolden } from '../../models/parse-golden.ts';
import type { ModelVersion } from '../../models/version.ts';
import type { Platform } from '../../ports/platform.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../units.ts';
import { mergeTelemetry } from '../telemetry.ts';
import { profileOfGolden } from './golden-profile.ts';
import { type Profile, rowsOf } from './profile.ts';
import type { Reference } from './reference.ts';
import { readReferenceFile } from './reference-file.ts';
import { LEAST_REFERENCE_ROWS } from './rules.ts';

/** What an operator asks for. */
export type ReferenceChoice =
  | { readonly kind: 'validation' }
  | { readonly kind: 'training' }
  | { readonly kind: 'window'; readonly fromMs: number; readonly untilMs: number };

export type ReferencePorts = Pick<Platform, 'artifacts' | 'qualityReports' | 'telemetry'>;

const LONGEST_WINDOW_MS = 92 * DAY_MS;
/** Longer windows begin and end with whole hours, which are kept for over a year. */
const MINUTES_UP_TO_MS = 2 * HOUR_MS;

/**
 * The reference of a version: what was chosen for it, else its training data, else what validation saw; undefined if it has none of them. Kept once it is
 * made.
 */
export async function referenceOf(
  ports: ReferencePorts,
  version: ModelVersion,
  nowMs: number,
): Promise<Reference | undefined> {
  const found = await ports.qualityReports.readReference(version.model, version.version);
  if (found !== undefined) return found;
  const kind = version.referenceDigest === undefined ? 'validation' : 'training';
  const made = await make(ports, version, { kind }, nowMs);
  if (made !== undefined) await ports.qualityReports.writeReference(version.model, version.version, made);
  return made;
}

/**
 * Compares a version with this from now on; a span of production is read once and kept. `reference-missing` if there is nothing to make it of,
 * `request-invalid` for a window that is none.
 */
export async function chooseReference(
  ports: ReferencePorts,
  version: ModelVersion,
  choice: ReferenceChoice,
  nowMs: number,
): Promise<Reference> {
  if (choice.kind === 'window') expectWindow(choice, nowMs);
  const reference = await make(ports, version, choice, nowMs);
  if (reference === undefined) throw missing(choice, 0);
  // What validation saw is as little as it is: that it is too little is told by every report.
  if (choice.kind === 'window' && reference.rows < LEAST_REFERENCE_ROWS) throw missing(choice, reference.rows);
  await ports.qualityReports.writeReference(version.model, version.version, reference);
  return reference;
}

async function make(
  ports: ReferencePorts,
  version: ModelVersion,
  choice: ReferenceChoice,
  nowMs: number,
): Promise<Reference | undefined> {
  const profile = await profileFor(ports, version, choice);
  if (profile === undefined || rowsOf(profile) === 0) return undefined;
  const window =
    choice.kind === 'window'
      ? { fromMs: choice.fromMs, untilMs: choice.untilMs }
      : { fromMs: undefined, untilMs: undefined };
  return { kind: choice.kind, ...window, madeAtMs: nowMs, rows: rowsOf(profile), profile };
}

async function profileFor(
  { artifacts, telemetry }: ReferencePorts,
  version: ModelVersion,
  choice: ReferenceChoice,
): Promise<Profile | undefined> {
  const { model, goldenDigest, referenceDigest } = version;
  if (choice.kind === 'training') {
    if (referenceDigest === undefined) return undefined;
    return (await readReferenceFile(artifacts.open(referenceDigest))).profile;
  }
  if (choice.kind === 'validation') {
    if (goldenDigest === undefined) return undefined;
    return profileOfGolden(version, (await parseGolden(artifacts.open(goldenDigest))).pairs);
  }
  const unit = choice.untilMs - choice.fromMs > MINUTES_UP_TO_MS ? HOUR_MS : MINUTE_MS;
  const fromMs = choice.fromMs - (choice.fromMs % unit);
  const stepMs = Math.ceil((choice.untilMs - fromMs) / unit) * unit;
  const steps = await telemetry.series(model, version.version, fromMs, fromMs + stepMs, stepMs);
  return mergeTelemetry(steps.map((step) => step.telemetry));
}

function expectWindow({ fromMs, untilMs }: { fromMs: number; untilMs: number }, nowMs: number): void {
  const detail =
    untilMs <= fromMs
      ? 'the window ends before it begins'
      : untilMs > nowMs
        ? 'the window is not over yet'
        : untilMs - fromMs > LONGEST_WINDOW_MS
          ? 'a window has 92 days at the most'
          : undefined;
  if (detail !== undefined) throw new Failure('request-invalid', { field: 'until', detail });
}

const MISSING = {
  validation: 'the version was pushed without golden pairs that say something of it',
  training: 'the version was pushed without a reference.json',
} as const;

function missing(choice: ReferenceChoice, rows: number): Failure {
  const detail =
    choice.kind === 'window'
      ? `${rows} rows were answered in that window; a reference needs ${LEAST_REFERENCE_ROWS}`
      : MISSING[choice.kind];
  return new Failure('reference-missing', { field: 'kind', detail });
}
