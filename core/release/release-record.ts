import { z } from 'zod';
import type { ReleaseAudit } from '../ports/releases.ts';
import { type Release, releaseSchema } from './release.ts';

const auditSchema: z.ZodType<ReleaseAudit> = z.strictObject({
  release: z.string(),
  model: z.string(),
  epoch: z.int().min(1),
  atMs: z.number(),
  by: z.string(),
  what: z.string(),
  why: z.string(),
});

/** A release as both adapters store it. Throws on what could not be read again. */
export function writeRelease(release: Release): string {
  return JSON.stringify(releaseSchema.parse(release));
}

/** Throws on anything but what `writeRelease` wrote. */
export function readRelease(record: string): Release {
  return releaseSchema.parse(JSON.parse(record));
}

export function writeAudit(audit: ReleaseAudit): string {
  return JSON.stringify(auditSchema.parse(audit));
}

/** Throws on anything but what `writeAudit` wrote. */
export function readAudit(record: string): ReleaseAudit {
  return auditSchema.parse(JSON.parse(record));
}
