import { rename, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND_MS } from '../core/units.ts';

/** A container's own, so that tasks which share an instance's disk do not answer for each other. */
export const HEALTH_FILE = join(tmpdir(), 'sluice-worker-healthy');
export const BEAT_MS = 5 * SECOND_MS;
/** Four beats: a worker that fills every core is late, one that stands still is gone. */
const DEAD_AFTER_MS = 20 * SECOND_MS;

/**
 * Says that this process goes on: called every `BEAT_MS` from its event loop, once the worker takes work. Services that do not
 * answer are none of its business: another worker in its place would not reach them either.
 */
export async function beat(path: string, nowMs: number): Promise<void> {
  const now = nowMs / SECOND_MS;
  try {
    await utimes(path, now, now);
  } catch {
    await writeFile(`${path}.new`, '');
    await utimes(`${path}.new`, now, now);
    await rename(`${path}.new`, path);
  }
}

/** True if there was a beat within 20 s. */
export async function isHealthy(path: string, nowMs: number): Promise<boolean> {
  const beatMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  );
  return nowMs - beatMs <= DEAD_AFTER_MS;
}
