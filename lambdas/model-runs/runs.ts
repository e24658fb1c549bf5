import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGraphs } from '../../adapters/onnx/graphs.ts';
import { environmentOf } from '../../adapters/onnx/providers.ts';
import type { Graphs } from '../../core/ports/graphs.ts';
import type { Sandbox } from '../../core/ports/sandbox.ts';
import { createRunnerSandbox } from '../../gpu-worker/runner-sandbox.ts';
import type { LambdaProcess } from '../entry/main.ts';

/** Where Lambda's Node finds its own libraries, which a runner is a Node of. */
const LIBRARIES = 'LD_LIBRARY_PATH';

/** How a function runs models: on its CPU, in processes that are told nothing of what the function may touch. */
export function openRuns({ variables, clock }: LambdaProcess): { readonly sandbox: Sandbox; readonly graphs: Graphs } {
  const scratch = join(tmpdir(), 'sluice-scratch');
  const cacheFolder = join(tmpdir(), 'sluice-compile-cache');
  for (const folder of [scratch, cacheFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const libraries = variables[LIBRARIES];
  const environment = { ...environmentOf('cpu', {}), ...(libraries !== undefined && { [LIBRARIES]: libraries }) };
  const settings = { provider: 'cpu', intraOpThreads: 1, environment, cacheFolder } as const;
  return { sandbox: createRunnerSandbox(settings, clock, scratch), graphs: createGraphs(scratch) };
}
