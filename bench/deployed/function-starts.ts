import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelPackagesVariables } from '../../adapters/aws/environment.ts';
import { FUNCTIONS } from '../../lib/bundle.ts';
import { startCloud } from '../../test/support/aws/cloud.ts';
import { DeployedPlatform } from '../../test/support/aws/deployed-platform.ts';
import { LambdaFunction } from '../../test/support/aws/lambda-function.ts';

export type FunctionStart = {
  readonly name: string;
  /** What is loaded of our own. */
  readonly codeBytes: number;
  /** And what lies beside it. */
  readonly allBytes: number;
  /** From the start of a process to where it asks for its first invocation, of each. */
  readonly initMs: readonly number[];
};

/** Of the function that hears of model packages alone. */
const NO_GROUPS = {
  SLUICE_MODEL_PACKAGE_GROUPS: '',
  SLUICE_START_PACKAGE_RELEASES: 'no',
} satisfies ModelPackagesVariables;

/** Starts every function `times` times, one process at a time, and one that does nothing, to tell what Node takes. */
export async function measureStarts(times: number): Promise<readonly FunctionStart[]> {
  const cloud = await startCloud();
  const empty = await mkdtemp(join(tmpdir(), 'sluice-empty-'));
  await writeFile(join(empty, 'index.mjs'), 'export const handler = async () => null;\n');
  try {
    const platform = await DeployedPlatform.start(cloud, { workers: 0, scheduled: [] });
    try {
      const { functions } = platform.region().deployed;
      const specs = FUNCTIONS.map((name) => {
        const { spec } = functions[name];
        return { ...spec, environment: { ...spec.environment, ...(name === 'model-packages' ? NO_GROUPS : {}) } };
      });
      const starts: FunctionStart[] = [];
      for (const spec of [{ ...specs[0]!, name: 'nothing', folder: empty }, ...specs]) {
        const initMs: number[] = [];
        for (let count = 0; count < times; count += 1) {
          const started = new LambdaFunction(spec);
          await started.warm();
          initMs.push(...started.initMs);
          await started.stop();
        }
        starts.push({ name: spec.name, ...(await sizeOf(spec.folder)), initMs });
      }
      return starts;
    } finally {
      await platform.end();
    }
  } finally {
    await rm(empty, { recursive: true });
    await cloud.stop();
  }
}

async function sizeOf(folder: string): Promise<{ codeBytes: number; allBytes: number }> {
  let codeBytes = 0;
  let allBytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const file = await stat(join(folder, name));
    if (!file.isFile()) continue;
    allBytes += file.size;
    if (!name.startsWith('node_modules')) codeBytes += file.size;
  }
  return { codeBytes, allBytes };
}
