import type { ModelVersion } from '../../models/version.ts';
import type { Platform } from '../../ports/platform.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { DAY_MS, MINUTE_MS } from '../../units.ts';
import { addTelemetry, emptyTelemetry } from '../telemetry.ts';
import { type ReferencePorts, referenceOf } from './find-reference.ts';
import { judge } from './judge.ts';
import { rowsOf } from './profile.ts';
import type { JudgedWindow, QualityNotice, QualityState } from './quality-record.ts';
import type { Reference } from './reference.ts';
import { type DriftRules, driftRulesOf } from './rules.ts';

export type LookPorts = ReferencePorts & Pick<Platform, 'registry' | 'log'>;

/** A window with too few rows goes on for so long and then ends unjudged. */
const LONGEST_WINDOW_MS = DAY_MS;
/** Where nobody looked for longer, what was before is no news. */
const READ_BACK_MS = 2 * DAY_MS;
/** What was answered is found so long after at the latest, but of what writers could not write at once. */
const SETTLED_AFTER_MS = MINUTE_MS;
/** Judged in one look: more wait for the next, so that a version that nobody looked at for a day keeps no other waiting. */
const MOST_JUDGED = 8;

/** A version as it was left. */
export type Looked = {
  readonly version: ModelVersion;
  readonly rules: DriftRules;
  readonly reference: Reference | undefined;
  readonly state: QualityState;
};

/**
 * Judges the windows of a version that have ended since the last look, and keeps what was found. Again is harmless: each window is judged once, whoever
 * looks and however often. Undefined if there is no such version.
 */
export async function lookAtVersion(
  ports: LookPorts,
  model: string,
  name: string,
  nowMs: number,
): Promise<Looked | undefined> {
  const version = await ports.registry.readVersion(model, name);
  if (version === undefined) return undefined;
  const rules = driftRulesOf(version.manifest);
  const [stored, reference] = await Promise.all([
    ports.qualityReports.readState(model, name),
    referenceOf(ports, version, nowMs),
  ]);
  const before = against(reference, stored ?? firstState(version, rules, nowMs));
  const looked = await judgeEnded(ports, { version, rules, reference, state: before }, nowMs);
  const state = {
    ...(await withRetraining(ports, looked, nowMs)),
    checkedAtMs: nowMs,
    epoch: (stored?.epoch ?? 0) + 1,
  };
  if (await ports.qualityReports.writeState(state, looked.judged)) return { version, rules, reference, state };
  // Somebody else looked at the same time, and saw the same.
  return { version, rules, reference, state: (await ports.qualityReports.readState(model, name)) ?? before };
}

/** The state with what of it was found by another reference left out. */
function against(reference: Reference | undefined, state: QualityState): QualityState {
  const referenceMadeAtMs = reference?.madeAtMs ?? 0;
  if (state.referenceMadeAtMs === referenceMadeAtMs) return state;
  return { ...state, referenceMadeAtMs, windowsInARow: {}, unseen: [], isDrifted: false, missingClasses: [] };
}

function firstState({ model, version, pushedAtMs }: ModelVersion, rules: DriftRules, nowMs: number): QualityState {
  const windowMs = rules.windowMinutes * MINUTE_MS;
  return {
    model,
    version,
    epoch: 0,
    checkedAtMs: nowMs,
    dueAtMs: nowMs,
    openFromMs: lastEndMs(windowMs, nowMs) - windowMs,
    referenceMadeAtMs: 0,
    windowsInARow: {},
    unseen: [],
    isDrifted: false,
    missingClasses: [],
    trainedAtMs: pushedAtMs,
    untold: [],
  };
}

/** When the last window ended of which everything is known. */
function lastEndMs(windowMs: number, nowMs: number): number {
  return Math.floor((nowMs - SETTLED_AFTER_MS) / windowMs) * windowMs;
}

async function judgeEnded(
  { telemetry }: LookPorts,
  { version, rules, reference, state: before }: Looked,
  nowMs: number,
): Promise<Looked & { readonly judged: readonly JudgedWindow[] }> {
  const windowMs = rules.windowMinutes * MINUTE_MS;
  const untilMs = lastEndMs(windowMs, nowMs);
  let fromMs = Math.max(before.openFromMs, untilMs - READ_BACK_MS);
  const steps =
    fromMs < untilMs ? await telemetry.series(version.model, version.version, fromMs, untilMs, windowMs) : [];
  const seen = new Map(steps.map((step) => [step.startMs, step.telemetry]));
  const judged: JudgedWindow[] = [];
  let state = before;
  let open: Telemetry = emptyTelemetry();
  for (let startMs = fromMs; startMs < untilMs && judged.length < MOST_JUDGED; startMs += windowMs) {
    const step = seen.get(startMs);
    if (step !== undefined) addTelemetry(open, step);
    const window = { fromMs, untilMs: startMs + windowMs };
    const rows = rowsOf(open);
    if (rows < rules.minSamples && window.untilMs - window.fromMs < LONGEST_WINDOW_MS) continue;
    if (rows > 0) {
      const next = judge({ state, reference, rules, current: open, window, nowMs });
      judged.push(next.judged);
      state = next.state;
    }
    fromMs = window.untilMs;
    open = emptyTelemetry();
  }
  const isBehind = judged.length === MOST_JUDGED;
  const dueAtMs = isBehind ? nowMs : untilMs + windowMs + SETTLED_AFTER_MS;
  return { version, rules, reference, state: { ...state, openFromMs: fromMs, dueAtMs }, judged };
}

/** The calendar asks for a retraining of the version that everybody is answered by. */
async function withRetraining(
  { registry }: LookPorts,
  { version, rules, state }: Looked,
  nowMs: number,
): Promise<QualityState> {
  const { retrainEveryDays } = rules;
  if (retrainEveryDays === undefined || nowMs - state.trainedAtMs < retrainEveryDays * DAY_MS) return state;
  if ((await registry.readRoute(version.model))?.stable !== version.version) return state;
  const due: QualityNotice = {
    event: 'model.retraining_due',
    reason: 'schedule',
    model: version.model,
    version: version.version,
    atMs: nowMs,
    checks: [],
    missingClasses: state.missingClasses.length,
  };
  return { ...state, trainedAtMs: nowMs, untold: [...state.untold, due] };
}
