import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { Telemetry, TelemetryStep } from '../ports/telemetry.ts';
import { mergeTelemetry } from './telemetry.ts';

export type MetricsRequest = {
  readonly model: string;
  /** Undefined: the one that is stable. */
  readonly version: string | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
};

/** What one version did, step by step and in all. */
export type Metrics = {
  readonly version: string;
  readonly steps: readonly TelemetryStep[];
  readonly total: Telemetry;
};

/** Throws `model-unknown` or `version-unknown`: the latter too where no version is named and none is stable. */
export async function readMetrics(
  { registry, telemetry }: Pick<Platform, 'registry' | 'telemetry'>,
  { model, version: named, fromMs, untilMs, stepMs }: MetricsRequest,
): Promise<Metrics> {
  const version = await knownVersion(registry, model, named);
  const steps = await telemetry.series(model, version, fromMs, untilMs, stepMs);
  return { version, steps, total: mergeTelemetry(steps.map((step) => step.telemetry)) };
}

async function knownVersion(registry: Platform['registry'], model: string, named: string | undefined): Promise<string> {
  const route = await registry.readRoute(model);
  if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
  if (named === undefined && route.stable !== undefined) return route.stable;
  if (named === undefined || (await registry.readVersion(model, named)) === undefined)
    throw new Failure('version-unknown', { field: 'version' });
  return named;
}
