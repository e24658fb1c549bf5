import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { METHODS, QUALITY_STATUSES, REFERENCE_KINDS, SUBJECTS } from './names.ts';

const count = z.number().min(0);
const span = z.strictObject({ fromMs: z.number(), untilMs: z.number() });

const checkSchema = z.strictObject({
  subject: z.enum(SUBJECTS),
  name: z.string(),
  method: z.enum(METHODS),
  value: z.number(),
  threshold: z.number(),
  samples: count,
  judged: z.boolean(),
  drifted: z.boolean(),
  /** Judged windows up to this one in which it has drifted without a break. */
  windowsInARow: z.int().min(0),
});

const inputFigures = z.strictObject({
  rows: count,
  missingShare: z.number().optional(),
  tooLongShare: z.number().optional(),
});

/** What a version was like in a window, beside its reference. */
export const qualityReportSchema = z.strictObject({
  checkedAtMs: z.number(),
  window: span,
  rows: count,
  status: z.enum(QUALITY_STATUSES),
  reference: z
    .strictObject({
      kind: z.enum(REFERENCE_KINDS),
      fromMs: z.number().optional(),
      untilMs: z.number().optional(),
      rows: count,
    })
    .optional(),
  alarmsAfter: z.int().min(1),
  checks: z.array(checkSchema),
  labels: z.array(
    z.strictObject({ label: z.string(), referenceShare: z.number().optional(), share: z.number().optional() }),
  ),
  missingClasses: z.array(z.string()),
  dataQuality: z.array(
    z.strictObject({
      input: z.string(),
      ...inputFigures.shape,
      /** Jensen-Shannon distance of the kinds of characters; absent of what is no text. */
      classShift: z.number().optional(),
      reference: inputFigures.optional(),
    }),
  ),
  confidence: z.strictObject({ reference: z.array(count).optional(), current: z.array(count) }),
});

/** What operators' webhooks and EventBridge are told: ids and numbers, no label text. */
export const qualityNoticeSchema = z.strictObject({
  event: z.enum(['model.drifted', 'model.retraining_due']),
  reason: z.enum(['drift', 'missing-class', 'schedule']),
  model: z.string(),
  version: z.string(),
  atMs: z.number(),
  window: span.optional(),
  /** Checks that have drifted in as many windows as an alarm needs. */
  checks: z.array(z.strictObject({ name: z.string(), value: z.number(), threshold: z.number() })),
  missingClasses: z.int().min(0),
});

/** How far a version has been looked at. */
export const qualityStateSchema = z.strictObject({
  model: z.string(),
  version: z.string(),
  epoch: z.int().min(1),
  checkedAtMs: z.number(),
  /** When there is something to look at again. */
  dueAtMs: z.number(),
  /** Where the window begins that is judged next. */
  openFromMs: z.number(),
  /** Of the reference that what follows was judged by; 0 of none. */
  referenceMadeAtMs: z.number(),
  windowsInARow: z.record(z.string(), z.int().min(0)),
  unseen: z.array(z.tuple([z.string(), count])),
  isDrifted: z.boolean(),
  missingClasses: z.array(z.string()),
  /** Since when a retraining is awaited by the calendar. */
  trainedAtMs: z.number(),
  /** What somebody is to be told yet. */
  untold: z.array(qualityNoticeSchema),
  /** Of the last window that ended. */
  report: qualityReportSchema.optional(),
});

/** A window that was judged, for the history. */
export const judgedWindowSchema = z.strictObject({
  fromMs: z.number(),
  untilMs: z.number(),
  status: z.enum(QUALITY_STATUSES),
  rows: count,
  checks: z.array(z.strictObject({ name: z.string(), value: z.number(), drifted: z.boolean() })),
  missingClasses: z.int().min(0),
});

/** What of a state is read of all versions together. Holds no label text. */
export const qualitySummarySchema = z.strictObject({
  model: z.string(),
  version: z.string(),
  checkedAtMs: z.number(),
  dueAtMs: z.number(),
  status: z.enum(QUALITY_STATUSES).optional(),
  isDrifted: z.boolean(),
  missingClasses: z.int().min(0),
  checks: z.array(z.strictObject({ name: z.string(), value: z.number() })),
});

export type QualityReport = z.infer<typeof qualityReportSchema>;
export type QualityNotice = z.infer<typeof qualityNoticeSchema>;
export type QualityState = z.infer<typeof qualityStateSchema>;
export type JudgedWindow = z.infer<typeof judgedWindowSchema>;
export type QualitySummary = z.infer<typeof qualitySummarySchema>;

export function summaryOf(state: QualityState): QualitySummary {
  const { model, version, checkedAtMs, dueAtMs, isDrifted, missingClasses, report, untold } = state;
  return {
    model,
    version,
    checkedAtMs,
    dueAtMs: untold.length > 0 ? 0 : dueAtMs,
    status: report?.status,
    isDrifted,
    missingClasses: missingClasses.length,
    checks: (report?.checks ?? []).map(({ name, value }) => ({ name, value })),
  };
}

/** `record-damaged` for anything but what was written by that schema. */
export function readRecord<T>(schema: z.ZodType<T>, what: string, record: string): T {
  try {
    return schema.parse(JSON.parse(record));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: what }, { cause });
  }
}

/** Throws on what could not be read again. */
export function writeRecord<T>(schema: z.ZodType<T>, record: T): string {
  return JSON.stringify(schema.parse(record));
}
