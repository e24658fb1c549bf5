import { z } from 'zod';
import { Calibration } from './calibration.ts';
import { CONFIDENCE_BINS } from './confidence.ts';
import { Confusion } from './confusion.ts';
import { CHARACTER_CLASSES, type InputProfile } from './input-profile.ts';
import { SignedSketch } from './signed-sketch.ts';
import { Sketch } from './sketch.ts';

/*
 * What telemetry says of inputs and of feedback, as its encoding holds it. All of it may be missing: reports of versions that are asked nothing of it, and
 * those written before it was counted.
 */

const count = z.number().min(0);
const sketch = z.base64();
const bins = z.array(count).length(CONFIDENCE_BINS);
export const encodedLabels = z.strictObject({ counts: z.array(z.tuple([z.string(), count])), other: count });

const profile = z.strictObject({
  name: z.string(),
  rows: count,
  missing: count,
  tooLong: count,
  values: z.tuple([sketch, sketch]).optional(),
  lengths: sketch.optional(),
  classes: z.array(count).length(CHARACTER_CLASSES.length).optional(),
});

export const encodedProfiles = z.array(profile);
export const encodedConfusion = z.strictObject({
  labels: z.array(z.tuple([z.string(), encodedLabels])),
  other: encodedLabels,
  classes: z.strictObject({ actual: encodedLabels, predicted: encodedLabels, right: encodedLabels }),
});
export const encodedCalibration = z.tuple([bins, bins, bins]);

type EncodedProfile = z.infer<typeof profile>;

export function encodeProfiles(inputs: ReadonlyMap<string, InputProfile>): EncodedProfile[] | undefined {
  if (inputs.size === 0) return undefined;
  return [...inputs].map(([name, { values, lengths, ...rest }]) => {
    const encoded = values?.encode();
    return {
      name,
      ...rest,
      values: encoded && [toText(encoded.below), toText(encoded.above)],
      lengths: lengths && toText(lengths.encode()),
    };
  });
}

export function decodeProfiles(profiles: readonly EncodedProfile[] = []): Map<string, InputProfile> {
  return new Map(
    profiles.map(({ name, values, lengths, classes, ...counts }) => [
      name,
      {
        ...counts,
        classes,
        values: values && SignedSketch.decode({ below: toBytes(values[0]), above: toBytes(values[1]) }),
        lengths: lengths === undefined ? undefined : Sketch.decode(toBytes(lengths)),
      },
    ]),
  );
}

export function encodeConfusion(confusion: Confusion): z.infer<typeof encodedConfusion> | undefined {
  if (confusion.total === 0) return undefined;
  const { labels, other, classes } = confusion.contents();
  return { labels: labels.map(([actual, predicted]) => [actual, predicted]), other, classes };
}

export function decodeConfusion(encoded: z.infer<typeof encodedConfusion> | undefined): Confusion {
  return encoded === undefined ? new Confusion() : Confusion.of(encoded);
}

export function encodeCalibration(calibration: Calibration): z.infer<typeof encodedCalibration> | undefined {
  if (calibration.total === 0) return undefined;
  return [calibration.count, calibration.correct, calibration.confidence];
}

export function decodeCalibration(encoded: z.infer<typeof encodedCalibration> | undefined): Calibration {
  return new Calibration(encoded);
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
