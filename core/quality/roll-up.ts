import type { Platform } from '../ports/platform.ts';
import type { RolledUntil, RollUp, Telemetries, Telemetry, VersionName } from '../ports/telemetry.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import { LabelCounts } from './label-counts.ts';
import { Steps } from './steps.ts';
import { emptyTelemetry } from './telemetry.ts';
import { TELEMETRY_KEPT_MS } from './telemetry-kept.ts';

/** What names the roll-ups of a whole region: all versions together, which are counted as its labels, `model@version`. No model is called so. */
export const WHOLE_REGION: VersionName = { model: '*', version: '*' };

/** A window of 5 s is written when it is over, and found a second later: a minute is whole this long after its end. */
const WRITTEN_AFTER_MS = 15 * SECOND_MS;
/** Reports of a store that was away come up to twenty minutes late: a minute that is this old has settled. */
const SETTLED_AFTER_MS = 21 * MINUTE_MS;
/** Minutes that are rolled up in one run, and hours: after a pause a run a minute catches up two hours a minute. */
const MOST_MINUTES = 120;
const MOST_HOURS = 12;
/** Versions whose reports are read at once. */
const READ_AT_ONCE = 8;

type Range = { readonly fromMs: number; readonly untilMs: number };

/**
 * Rolls up what the region's versions did, to be called once a minute: minutes once they are over, again a minute later and once no report of them
 * can still come, hours when their minutes have settled. Doing it twice, or two at once, changes nothing. What is left undone (a store that is
 * away, a process that is killed) is done by the next run; a run after a long pause catches up by two hours.
 */
export async function rollUp(
  { telemetry }: Pick<Platform, 'telemetry'>,
  nowMs: number,
): Promise<{ minutes: number; hours: number }> {
  const before = (await telemetry.rolledUntil()) ?? beginning(nowMs);
  // Reports that are about to be forgotten would leave a minute without some of them.
  const oldestMs = floor(nowMs - TELEMETRY_KEPT_MS + HOUR_MS, HOUR_MS);
  const fromMs = Math.max(before.minutesMs, oldestMs);
  const minutesMs = Math.max(
    fromMs,
    Math.min(floor(nowMs - WRITTEN_AFTER_MS, MINUTE_MS), fromMs + MOST_MINUTES * MINUTE_MS),
  );
  const lateMs = Math.min(minutesMs, floor(nowMs - SETTLED_AFTER_MS, MINUTE_MS));
  const settledFromMs = Math.max(before.settledMs, oldestMs);
  const settledMs = Math.max(settledFromMs, Math.min(lateMs, settledFromMs + MOST_MINUTES * MINUTE_MS));
  let minutes = 0;
  for (const range of joined(
    { fromMs: settledFromMs, untilMs: settledMs },
    { fromMs: Math.max(before.sinceMs, fromMs - MINUTE_MS), untilMs: minutesMs },
  ))
    minutes += await rollMinutes(telemetry, range);
  const hoursFromMs = Math.max(before.hoursMs, oldestMs);
  const hoursMs = Math.max(hoursFromMs, Math.min(floor(settledMs, HOUR_MS), hoursFromMs + MOST_HOURS * HOUR_MS));
  let hours = 0;
  for (let atMs = hoursFromMs; atMs < hoursMs; atMs += HOUR_MS) hours += await rollHour(telemetry, atMs);
  await telemetry.markRolled({ sinceMs: before.sinceMs, minutesMs, settledMs, hoursMs });
  return { minutes, hours };
}

/** Where a region that was never rolled up begins: what came before stays with its reports. */
function beginning(nowMs: number): RolledUntil {
  const sinceMs = floor(nowMs - HOUR_MS, HOUR_MS);
  return { sinceMs, minutesMs: sinceMs, settledMs: sinceMs, hoursMs: sinceMs };
}

async function rollMinutes(telemetry: Telemetries, { fromMs, untilMs }: Range): Promise<number> {
  const region = new Steps(fromMs, MINUTE_MS);
  let rolled = 0;
  await eachVersion(telemetry, fromMs, untilMs, async ({ model, version }) => {
    const minutes = await telemetry.readMinutes(model, version, fromMs, untilMs);
    await telemetry.keepRollUps(minutes);
    for (const { startMs, telemetry: seen, reports } of minutes)
      region.add(startMs, ofRegion(`${model}@${version}`, seen), reports);
    rolled += minutes.length;
  });
  const whole = region.inOrder().map((step): RollUp => ({ ...WHOLE_REGION, span: 'minute', ...step }));
  await telemetry.keepRollUps(whole);
  return rolled;
}

async function rollHour(telemetry: Telemetries, startMs: number): Promise<number> {
  let rolled = 0;
  const roll = async ({ model, version }: VersionName) => {
    const hour = new Steps(startMs, HOUR_MS);
    const untilMs = startMs + HOUR_MS;
    for (const minute of await telemetry.readRollUps('minute', model, version, startMs, untilMs))
      hour.add(minute.startMs, minute.telemetry, minute.reports);
    await telemetry.keepRollUps(hour.inOrder().map((step) => ({ model, version, span: 'hour', ...step })));
    rolled += 1;
  };
  await eachVersion(telemetry, startMs, startMs + HOUR_MS, roll);
  if (rolled > 0) await roll(WHOLE_REGION);
  return rolled;
}

async function eachVersion(
  telemetry: Telemetries,
  fromMs: number,
  untilMs: number,
  roll: (version: VersionName) => Promise<void>,
): Promise<void> {
  if (fromMs >= untilMs) return;
  const versions = await telemetry.activeVersions(fromMs, untilMs);
  for (let at = 0; at < versions.length; at += READ_AT_ONCE)
    await Promise.all(versions.slice(at, at + READ_AT_ONCE).map(roll));
}

/** What of a version's telemetry adds up over versions. */
export function ofRegion(version: string, seen: Telemetry): Telemetry {
  const { requests, errors, latencyMs, queueMs, batchRows, computeMs, rows, cacheHits, fallbacks, crashes, tenants } =
    seen;
  const labels = new LabelCounts();
  if (requests > 0) labels.add(version, requests);
  const summed = {
    requests,
    errors,
    latencyMs,
    queueMs,
    batchRows,
    computeMs,
    rows,
    cacheHits,
    fallbacks,
    crashes,
    tenants,
  };
  return { ...emptyTelemetry(), ...summed, labels };
}

/** Two ranges, the first not after the second, as one where they touch. */
function joined(first: Range, second: Range): readonly Range[] {
  if (first.untilMs < second.fromMs || first.untilMs <= first.fromMs) return [first, second];
  return [{ fromMs: Math.min(first.fromMs, second.fromMs), untilMs: Math.max(first.untilMs, second.untilMs) }];
}

function floor(atMs: number, spanMs: number): number {
  return Math.floor(atMs / spanMs) * spanMs;
}
