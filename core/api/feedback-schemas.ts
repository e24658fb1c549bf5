import { z } from 'zod';
import { MOST_KEPT_ROWS } from '../quality/feedback/limits.ts';
import { LABEL_LENGTH } from '../quality/row-labels.ts';
import { PARAMS } from './params.ts';
import { spanQuery } from './time-span.ts';

/** Feedback as it is given and shown. Times are ISO 8601; shares are from 0 to 1, and null of nothing; counts are of rows. */
const at = z.iso.datetime();
const share = z.number().min(0).max(1).nullable();
const count = z.int().min(0);
const label = z.union([z.string().min(1).max(LABEL_LENGTH), z.int()]);

export const feedbackBody = z
  .strictObject({
    /** The true label; of a prediction of several rows a list, one a row. */
    label: z.union([label, z.array(label).min(1).max(MOST_KEPT_ROWS)]),
    /** When it became known. Default: now. */
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'FeedbackGive' });

export const feedbackGivenJson = z
  .strictObject({
    id: PARAMS.prediction.schema,
    /** True if it is the first of this prediction; false: the same was given before. */
    counted: z.boolean(),
  })
  .meta({ id: 'FeedbackGiven' });

export const feedbackQuery = z.strictObject({
  /** Default: the stable one. */
  version: PARAMS.version.schema.optional(),
  ...spanQuery.shape,
});

/** By UTC day. */
export const tenantFeedbackQuery = feedbackQuery.omit({ step_s: true });

export const feedbackJson = z
  .strictObject({
    model: z.string(),
    version: z.string(),
    from: at,
    until: at,
    step_s: z.number(),
    count,
    accuracy: share,
    /** Where the true accuracy is, at 95 % (Wilson); null of nothing. */
    accuracy_interval: z.tuple([z.number(), z.number()]).nullable(),
    /** Mean F1, every class weighing the same. */
    macro_f1: share,
    /** How far confidence and accuracy are apart on average; null where the model gives no confidence. */
    expected_calibration_error: share,
    /** Share of this version's shadow answers that agree with the stable ones; null where it was not shadowed. */
    agreement: share,
    classes: z.array(
      z.strictObject({ label: z.string(), precision: z.number(), recall: z.number(), f1: z.number(), support: count }),
    ),
    /** Rows by true label, then predicted one. `other` are those of labels that are not among `labels`. */
    confusion: z.strictObject({ labels: z.array(z.string()), counts: z.array(z.array(count)), other: count }),
    /** Of each bin of confidence that has any: the mean confidence in it, and how often that was right. */
    calibration: z.array(z.strictObject({ confidence: z.number(), accuracy: z.number(), count })),
    /** In order; steps without feedback are left out. */
    items: z.array(z.strictObject({ at, count, accuracy: share, macro_f1: share })),
    /** The 20 with the most. */
    tenants: z.array(z.strictObject({ tenant: z.string(), count, accuracy: share })),
  })
  .meta({ id: 'Feedback' });
