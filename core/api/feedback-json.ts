import type { z } from 'zod';
import type { ReadFeedback } from '../quality/feedback/read-feedback.ts';
import { SECOND_MS } from '../units.ts';
import type { feedbackJson } from './feedback-schemas.ts';
import type { TimeSpan } from './time-span.ts';

export type FeedbackJson = z.infer<typeof feedbackJson>;

export function feedbackToJson(model: string, read: ReadFeedback, { fromMs, untilMs, stepMs }: TimeSpan): FeedbackJson {
  const { confusion } = read;
  return {
    model,
    version: read.version,
    from: toIso(fromMs),
    until: toIso(untilMs),
    step_s: stepMs / SECOND_MS,
    count: read.count,
    accuracy: read.accuracy ?? null,
    accuracy_interval: read.interval === undefined ? null : [...read.interval],
    macro_f1: read.macroF1 ?? null,
    expected_calibration_error: read.expectedCalibrationError ?? null,
    agreement: read.agreement ?? null,
    classes: [...read.classes],
    confusion: {
      labels: [...confusion.labels],
      counts: confusion.counts.map((row) => [...row]),
      other: confusion.other,
    },
    calibration: [...read.calibration],
    items: read.steps.map(({ atMs, count, accuracy, macroF1 }) => ({
      at: toIso(atMs),
      count,
      accuracy: accuracy ?? null,
      macro_f1: macroF1 ?? null,
    })),
    tenants: read.tenants.map(({ tenant, count, accuracy }) => ({ tenant, count, accuracy: accuracy ?? null })),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
