import { environmentOf } from '../adapters/onnx/providers.ts';
import type { RunnerSettings } from '../gpu-worker/runner-process.ts';

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
