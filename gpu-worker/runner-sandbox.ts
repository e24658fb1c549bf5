import { createSandbox } from '../adapters/onnx/sandbox.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Sandbox, SandboxLimits } from '../core/ports/sandbox.ts';
import { type RunnerSettings, spawnRunner } from './runner-process.ts';

/** Runners that are thrown away; each run's own memory and time are measured. */
export function createRunnerSandbox(settings: RunnerSettings, clock: Clock, scratchFolder?: string): Sandbox {
  const spawn = ({ memoryBytes }: SandboxLimits) =>
    spawnRunner({ ...settings, memoryLimitBytes: memoryBytes, thorough: true }, clock);
  return createSandbox(clock, spawn, scratchFolder);
}
