import { environmentOf } from '../adapters/onnx/providers.ts';
import { createSandbox } from '../adapters/onnx/sandbox.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Sandbox, SandboxLimits } from '../core/ports/sandbox.ts';
import { type RunnerSettings, spawnRunner } from '../gpu-worker/runner-process.ts';

/** Two cores of a general-purpose cloud machine cost about 0.10 US dollars an hour, on demand; a runner has one thread. */
export const USD_PER_COMPUTE_HOUR = 0.05;
const RUNNER_THREADS = 1;

/** How this host runs models, trusted or not. `cacheFolder` is of this user alone. */
export function runnerSettingsOf(cacheFolder: string | undefined) {
  return {
    provider: 'cpu',
    intraOpThreads: RUNNER_THREADS,
    environment: environmentOf('cpu', {}),
    cacheFolder,
  } as const satisfies RunnerSettings;
}

/** Runners that are thrown away; each run's own memory and time are measured. */
export function createRunnerSandbox(settings: RunnerSettings, clock: Clock, scratchFolder?: string): Sandbox {
  const spawn = ({ memoryBytes }: SandboxLimits) =>
    spawnRunner({ ...settings, memoryLimitBytes: memoryBytes, thorough: true }, clock);
  return createSandbox(clock, spawn, scratchFolder);
}
