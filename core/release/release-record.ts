import { z } from 'zod';
import { Failure } from '../failure.ts';
import type { Log } from '../ports/log.ts';
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

/** `record-damaged` for anything but what `writeRelease` wrote. */
export function readRelease(id: string, record: string): Release {
  try {
    return releaseSchema.parse(JSON.parse(record));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `release ${id}` }, { cause });
  }
}

export function writeAudit(audit: ReleaseAudit): string {
  return JSON.stringify(auditSchema.parse(audit));
}

/** Throws on anything but what `writeAudit` wrote. */
export function readAudit(record: string): ReleaseAudit {
  return auditSchema.parse(JSON.parse(record));
}

/** For lists, which one record must not take away: what cannot be read is logged and left out. `what` names it. */
export function orLeftOut<T>(log: Pick<Log, 'error'>, read: () => T, what: string): [T] | [] {
  try {
    return [read()];
  } catch (error) {
    log.error('a record cannot be read: left out', error, { record: what });
    return [];
  }
}
