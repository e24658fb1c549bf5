import { readFile, writeFile } from 'node:fs/promises';
import { askAt } from '../adapters/node/ask.ts';
import { isAwake, runChecks, SAMPLE_CHECK } from '../core/operations/synthetic.ts';
import type { CheckResult } from '../core/operations/watch-record.ts';
import type { Platform } from '../core/ports/platform.ts';
import { ensureCanary } from '../core/tenancy/canary.ts';

/** Asks the region at `url` once as its canary, over HTTP. */
export type Checks = () => Promise<readonly CheckResult[]>;

/** Makes the canary tenant, whose key lies at `keyPath` (0600), and what asks with it. */
export async function openChecks(platform: Platform, url: string, keyPath: string): Promise<Checks> {
  const apiKey = await ensureCanary(platform, platform.config.region, (make) => readOrWrite(keyPath, make));
  const { log, clock } = platform;
  return async () => {
    const checked = (await isAwake(platform, SAMPLE_CHECK.model)) ? SAMPLE_CHECK : undefined;
    return runChecks({ ask: askAt(url), apiKey, checked, log, nowMs: () => clock.nowMs() });
  };
}

async function readOrWrite(path: string, make: () => string): Promise<string> {
  try {
    await writeFile(path, make(), { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
