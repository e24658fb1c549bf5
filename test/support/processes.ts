import { processFields } from '../../bin/descendants.ts';

/** False also for one that has ended and only waits to be collected. */
export function isRunning(pid: number): boolean {
  const state = processFields(pid)?.[0];
  return state !== undefined && state !== 'Z';
}
