import type { RollUpSpan, Telemetries, TelemetryStep } from '../ports/telemetry.ts';
import { HOUR_MS, MINUTE_MS } from '../units.ts';
import { Steps } from './steps.ts';

export type SeriesRange = {
  readonly model: string;
  readonly version: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
};

/** Where a series is read from: what is rolled up, and the reports themselves. */
export type SeriesSource = Pick<Telemetries, 'readRollUps' | 'rolledUntil'> & {
  /** Adds every report of a version whose window starts from `fromMs` until `untilMs`. */
  addReports(steps: Steps, range: Omit<SeriesRange, 'stepMs'>): Promise<void>;
};

/** `Telemetries.series` of any storage: hours where steps are whole hours, minutes where they are whole minutes, as far as those are rolled up; else reports. */
export async function readSeries(source: SeriesSource, range: SeriesRange): Promise<readonly TelemetryStep[]> {
  const { model, version, fromMs, untilMs, stepMs } = range;
  const steps = new Steps(fromMs, stepMs);
  const isOf = (spanMs: number) => fromMs % spanMs === 0 && stepMs % spanMs === 0;
  const rolled = isOf(MINUTE_MS) ? await source.rolledUntil() : undefined;
  let atMs = fromMs;
  const addReports = async (endMs: number) => {
    if (endMs > atMs) await source.addReports(steps, { model, version, fromMs: atMs, untilMs: endMs });
    atMs = Math.max(atMs, endMs);
  };
  const addRolled = async (span: RollUpSpan, spanMs: number, rolledUntilMs: number) => {
    const endMs = Math.min(untilMs - (untilMs % spanMs), rolledUntilMs);
    if (endMs <= atMs) return;
    for (const { startMs, telemetry } of await source.readRollUps(span, model, version, atMs, endMs))
      steps.add(startMs, telemetry);
    atMs = endMs;
  };
  if (rolled !== undefined) {
    await addReports(Math.min(untilMs, rolled.sinceMs));
    if (isOf(HOUR_MS)) await addRolled('hour', HOUR_MS, rolled.hoursMs);
    await addRolled('minute', MINUTE_MS, rolled.minutesMs);
  }
  await addReports(untilMs);
  return steps.inOrder().map(({ startMs, telemetry }) => ({ startMs, telemetry }));
}
