import type { Platform } from '../ports/platform.ts';
import { hasWorkers } from './admit.ts';
import { LANES } from './job.ts';

type WakePorts = Pick<Platform, 'config' | 'capacity' | 'queue' | 'wake'>;

/**
 * Wakes every pool that has jobs waiting and no worker, whoever sent them: those of a worker that died, or of a start that
 * failed, where no request comes that would ask again. Meant for every minute. Returns the pools that were woken.
 */
export async function wakeWaiting(ports: WakePorts, nowMs: number): Promise<readonly string[]> {
  const woken: string[] = [];
  for (const pool of ports.config.pools) {
    if (hasWorkers(await ports.capacity.read(pool, nowMs))) continue;
    const depths = await Promise.all(LANES.map((lane) => ports.queue.depth(pool, lane)));
    if (depths.every((depth) => depth === 0)) continue;
    await ports.wake.wake(pool, nowMs);
    woken.push(pool);
  }
  return woken;
}
