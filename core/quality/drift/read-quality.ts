import { Failure } from '../../failure.ts';
import type { ModelVersion } from '../../models/version.ts';
import type { Platform } from '../../ports/platform.ts';
import { MINUTE_MS } from '../../units.ts';
import { mergeTelemetry } from '../telemetry.ts';
import { chooseReference, type ReferenceChoice, referenceOf } from './find-reference.ts';
import { type LookPorts, lookAtVersion } from './look.ts';
import type { JudgedWindow, QualityReport } from './quality-record.ts';
import type { Reference } from './reference.ts';
import { reportOf } from './report.ts';
import { driftRulesOf } from './rules.ts';

/** What is known of a version. */
export type Quality = {
  readonly model: string;
  readonly version: string;
  readonly reference: Reference | undefined;
  readonly alarmsAfter: number;
  /** Undefined: no window has ended since it is looked at. */
  readonly report: QualityReport | undefined;
  /** The newest first. */
  readonly history: readonly JudgedWindow[];
};

/** A day of quarters of an hour. */
const HISTORY = 96;

/** What the last look found. `version` undefined: the stable one. `model-unknown`, `version-unknown`, `version-not-ready`. */
export async function readQuality(
  ports: LookPorts,
  model: string,
  version: string | undefined,
  nowMs: number,
): Promise<Quality> {
  const found = await findVersion(ports, model, version);
  const reference = await referenceOf(ports, found, nowMs);
  const state = await ports.qualityReports.readState(model, found.version);
  // One that was made by another reference says nothing of this one.
  const isOfReference = state?.referenceMadeAtMs === (reference?.madeAtMs ?? 0);
  return withHistory(ports, found, reference, isOfReference ? state?.report : undefined);
}

/**
 * Looks now: judges what has ended, and says what the window that is open would come to. That is not kept and counts for nothing: however often somebody
 * asks, no alarm is nearer.
 */
export async function checkNow(
  ports: LookPorts,
  model: string,
  version: string | undefined,
  nowMs: number,
): Promise<Quality> {
  const found = await findVersion(ports, model, version);
  const looked = await lookAtVersion(ports, model, found.version, nowMs);
  if (looked === undefined) throw new Failure('version-unknown', { field: 'version', model });
  const { rules, reference, state } = looked;
  const windowMs = rules.windowMinutes * MINUTE_MS;
  // Just after a window has ended the open one is empty: what is shown goes back as far as a whole one.
  const fromMs = Math.min(state.openFromMs, Math.floor((nowMs - windowMs) / MINUTE_MS) * MINUTE_MS);
  const stepMs = Math.ceil((nowMs - fromMs) / MINUTE_MS) * MINUTE_MS;
  const steps = await ports.telemetry.series(model, found.version, fromMs, fromMs + stepMs, stepMs);
  const current = mergeTelemetry(steps.map(({ telemetry }) => telemetry));
  const { windowsInARow, missingClasses } = state;
  const window = { fromMs, untilMs: nowMs };
  const before = { windowsInARow, missingClasses };
  return withHistory(ports, found, reference, reportOf({ reference, current, window, rules, before, nowMs }, false));
}

/** Compares a version with another reference from now on, and says what that is like. As `chooseReference` throws. */
export async function putReference(
  ports: LookPorts,
  model: string,
  version: string | undefined,
  choice: ReferenceChoice,
  nowMs: number,
): Promise<Quality> {
  const found = await findVersion(ports, model, version);
  await chooseReference(ports, found, choice, nowMs);
  return readQuality(ports, model, found.version, nowMs);
}

async function withHistory(
  { qualityReports }: Pick<Platform, 'qualityReports'>,
  { model, version, manifest }: ModelVersion,
  reference: Reference | undefined,
  report: QualityReport | undefined,
): Promise<Quality> {
  const history = await qualityReports.listWindows(model, version, HISTORY);
  return { model, version, reference, alarmsAfter: driftRulesOf(manifest).alarmAfter, report, history };
}

async function findVersion(
  { registry }: Pick<Platform, 'registry'>,
  model: string,
  named: string | undefined,
): Promise<ModelVersion> {
  const route = await registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
  const version = named ?? route.stable;
  if (version === undefined) throw new Failure('version-not-ready', { model });
  const found = await registry.readVersion(model, version);
  if (found === undefined) throw new Failure('version-unknown', { field: 'version', model });
  return found;
}
