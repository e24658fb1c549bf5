import type { Telemetry, TelemetryItem } from '../../core/ports/telemetry.ts';
import { recordAnswer } from '../../core/quality/record-answer.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';

type Wish = {
  readonly tenant?: string;
  readonly label?: string;
  readonly latencyMs?: number;
  /** Its requests were assigned by this release's lot. */
  readonly release?: string;
  /** So many requests, each of another tenant, label or cohort. */
  readonly tenants?: number;
  readonly labels?: number;
  readonly cohorts?: number;
};

/** Telemetry of one request, or of as many as it takes to have so many tenants, labels or cohorts. */
export function aTelemetry(wish: Wish = {}): Telemetry {
  const { tenants = 1, labels = 1, cohorts = 1 } = wish;
  const release = wish.release ?? (cohorts > 1 ? 'r1' : undefined);
  const telemetry = emptyTelemetry(release);
  const requests = Math.max(tenants, labels, cohorts);
  for (let at = 0; at < requests; at += 1) {
    recordAnswer(telemetry, {
      tenant: wish.tenant ?? `tenant-with-a-name-${at % tenants}`,
      latencyMs: wish.latencyMs ?? 1.5 ** (at % 40),
      queueMs: 1,
      computeMs: 2.5,
      rows: 1,
      inputElements: 16,
      error: undefined,
      fellBack: false,
      label: wish.label ?? `label-of-some-length-${at % labels}`,
      confidence: 0.75,
      lot: release === undefined ? undefined : { cohort: at % cohorts, unit: at },
    });
  }
  return telemetry;
}

/** A report of version 1 of model m, of one request unless told otherwise. */
export function aReport(windowStartMs: number, changes: Partial<TelemetryItem> = {}): TelemetryItem {
  const name = { model: 'm', version: '1', windowStartMs, writer: 'w1', sequence: 1, shard: 1 };
  return { ...name, telemetry: aTelemetry(), ...changes };
}
