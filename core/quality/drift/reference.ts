import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { decodeTelemetry, encodeTelemetry } from '../encode-telemetry.ts';
import { emptyTelemetry, mergeTelemetry } from '../telemetry.ts';
import { REFERENCE_KINDS, type ReferenceKind } from './names.ts';
import type { Profile } from './profile.ts';

/** What a version is compared with. */
export type Reference = {
  readonly kind: ReferenceKind;
  /** Of a window. */
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly madeAtMs: number;
  readonly rows: number;
  readonly profile: Profile;
};

const stored = z.strictObject({
  kind: z.enum(REFERENCE_KINDS),
  fromMs: z.number().optional(),
  untilMs: z.number().optional(),
  madeAtMs: z.number(),
  rows: z.number().min(0),
  profile: z.string(),
});

/** As both adapters store it. */
export function writeReference({ profile, ...reference }: Reference): string {
  const { labels, confidence, inputs } = mergeTelemetry([{ ...emptyTelemetry(), ...profile }]);
  return JSON.stringify({
    ...reference,
    profile: encodeTelemetry({ ...emptyTelemetry(), labels, confidence, inputs }),
  });
}

/** `record-damaged` for anything but what `writeReference` wrote. */
export function readReference(of: string, record: string): Reference {
  try {
    const { profile, fromMs, untilMs, ...rest } = stored.parse(JSON.parse(record));
    const { labels, confidence, inputs } = decodeTelemetry(profile);
    return { ...rest, fromMs, untilMs, profile: { labels, confidence, inputs } };
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `reference of ${of}` }, { cause });
  }
}
