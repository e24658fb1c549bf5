import { z } from 'zod';
import { METHODS, QUALITY_STATUSES, REFERENCE_KINDS, SUBJECTS } from '../quality/drift/names.ts';
import { PARAMS } from './params.ts';

/** What versions are like beside their references. Names are snake_case; times are ISO 8601. */
const at = z.iso.datetime();
const count = z.number().min(0);
const share = z.number().min(0).max(1).nullable();
const window = z.strictObject({ from: at, until: at });
const instant = z.iso.datetime({ offset: true });

export const qualityQuery = z.strictObject({
  /** Default: the stable one. */
  version: PARAMS.version.schema.optional(),
});

export const referencePutBody = z
  .strictObject({
    /** `validation`: golden pairs. `training`: reference.json of the model folder. `window`: what the version answered from `from` until `until`. */
    kind: z.enum(REFERENCE_KINDS),
    from: instant.optional(),
    until: instant.optional(),
  })
  .superRefine(({ kind, from, until }, context) => {
    for (const [path, value] of [
      ['from', from],
      ['until', until],
    ] as const) {
      if ((value === undefined) !== (kind !== 'window'))
        context.addIssue({
          code: 'custom',
          path: [path],
          message: kind === 'window' ? 'is missing' : 'only of a window',
        });
    }
  })
  .meta({ id: 'QualityReferencePut' });

const verdictFields = {
  subject: z.enum(SUBJECTS),
  /** `labels`, `confidence`, or an input and what of it: `text.lengths`. */
  name: z.string(),
  method: z.enum(METHODS),
  value: z.number(),
  /** The rules' threshold, or what chance alone gives between so few rows if that is more. */
  threshold: z.number(),
  drifted: z.boolean(),
  /** Windows in which it has drifted without a break, and how many make an alarm. */
  windows_in_a_row: z.int().min(0),
  alarms_after: z.int().min(1),
};

const checkJson = z
  .strictObject({
    ...verdictFields,
    /** Rows of the window. */
    samples: count,
    /** False: the window or the reference has too few rows to say. */
    judged: z.boolean(),
  })
  .meta({ id: 'QualityCheck' });

const inputFigures = { rows: count, missing_share: share, too_long_share: share };

const windowJson = z.strictObject({
  at,
  status: z.enum(QUALITY_STATUSES),
  rows: count,
  missing_classes: z.int().min(0),
  checks: z.array(z.strictObject({ name: z.string(), value: z.number(), drifted: z.boolean() })),
});

export const qualityJson = z
  .strictObject({
    model: z.string(),
    version: z.string(),
    /** Null: there is nothing to compare with. */
    reference: z
      .strictObject({ kind: z.enum(REFERENCE_KINDS), from: at.nullable(), until: at.nullable(), rows: count })
      .nullable(),
    /** Null: no window has ended yet. */
    checked_at: at.nullable(),
    window: window.nullable(),
    rows: count,
    status: z.enum(QUALITY_STATUSES),
    checks: z.array(checkJson),
    /** The 200 with the largest shares of either side. */
    labels: z.array(z.strictObject({ label: z.string(), reference_share: share, share })),
    /** Labels that the reference has and that come no more, though rows enough have come. */
    missing_classes: z.array(z.string()),
    data_quality: z.array(
      z.strictObject({
        input: z.string(),
        ...inputFigures,
        /** Jensen-Shannon distance of the kinds of characters; null of what is no text, or without a reference. */
        class_shift: z.number().nullable(),
        reference: z.strictObject(inputFigures).nullable(),
      }),
    ),
    /** Answers by confidence, in twenty equal bins from 0 to 1. */
    confidence: z.strictObject({ reference: z.array(count).nullable(), current: z.array(count) }),
    /** Windows that have ended, the newest first. */
    history: z.array(windowJson),
  })
  .meta({ id: 'Quality' });

/** What of it a tenant sees: nothing that says how much, or what, other tenants ask. */
export const tenantQualityJson = z
  .strictObject({
    model: z.string(),
    version: z.string(),
    checked_at: at.nullable(),
    window: window.nullable(),
    status: z.enum(QUALITY_STATUSES),
    checks: z.array(z.strictObject(verdictFields).meta({ id: 'TenantQualityCheck' })),
  })
  .meta({ id: 'TenantQuality' });
