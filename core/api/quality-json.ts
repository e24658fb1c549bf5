import type { z } from 'zod';
import type { JudgedWindow, QualityReport } from '../quality/drift/quality-record.ts';
import type { Quality } from '../quality/drift/read-quality.ts';
import type { qualityJson, tenantQualityJson } from './quality-schemas.ts';

export type QualityJson = z.infer<typeof qualityJson>;
export type TenantQualityJson = z.infer<typeof tenantQualityJson>;

export function qualityToJson(quality: Quality): QualityJson {
  const { model, version, reference, report, history, alarmsAfter } = quality;
  return {
    model,
    version,
    reference:
      reference === undefined
        ? null
        : {
            kind: reference.kind,
            from: isoOrNull(reference.fromMs),
            until: isoOrNull(reference.untilMs),
            rows: reference.rows,
          },
    ...lastLook(quality),
    rows: report?.rows ?? 0,
    checks: (report?.checks ?? []).map((check) => ({
      ...verdictOf(check, alarmsAfter),
      samples: check.samples,
      judged: check.judged,
    })),
    labels: (report?.labels ?? []).map(({ label, referenceShare, share }) => ({
      label,
      reference_share: referenceShare ?? null,
      share: share ?? null,
    })),
    missing_classes: report?.missingClasses ?? [],
    data_quality: (report?.dataQuality ?? []).map(inputToJson),
    confidence: {
      reference: report?.confidence.reference ?? reference?.profile.confidence.bins ?? null,
      current: report?.confidence.current ?? [],
    },
    history: history.map(windowToJson),
  };
}

export function tenantQualityToJson(quality: Quality): TenantQualityJson {
  const { model, version, report, alarmsAfter } = quality;
  return {
    model,
    version,
    ...lastLook(quality),
    checks: (report?.checks ?? []).map((check) => verdictOf(check, alarmsAfter)),
  };
}

function lastLook({ report, reference }: Quality): Pick<QualityJson, 'checked_at' | 'window' | 'status'> {
  return {
    checked_at: isoOrNull(report?.checkedAtMs),
    window: report === undefined ? null : { from: isoOf(report.window.fromMs), until: isoOf(report.window.untilMs) },
    status: report?.status ?? (reference === undefined ? 'no-reference' : 'too-few'),
  };
}

function verdictOf(check: QualityReport['checks'][number], alarmsAfter: number): TenantQualityJson['checks'][number] {
  const { subject, name, method, value, threshold, drifted, windowsInARow } = check;
  return {
    subject,
    name,
    method,
    value,
    threshold,
    drifted,
    windows_in_a_row: windowsInARow,
    alarms_after: alarmsAfter,
  };
}

function inputToJson(input: QualityReport['dataQuality'][number]): QualityJson['data_quality'][number] {
  return {
    input: input.input,
    ...figuresOf(input),
    class_shift: input.classShift ?? null,
    reference: input.reference === undefined ? null : figuresOf(input.reference),
  };
}

type Figures = NonNullable<QualityReport['dataQuality'][number]['reference']>;

function figuresOf({ rows, missingShare, tooLongShare }: Figures) {
  return { rows, missing_share: missingShare ?? null, too_long_share: tooLongShare ?? null };
}

function windowToJson({ untilMs, status, rows, missingClasses, checks }: JudgedWindow): QualityJson['history'][number] {
  return { at: isoOf(untilMs), status, rows, missing_classes: missingClasses, checks };
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : isoOf(ms);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
