import { readFile, writeFile } from 'node:fs/promises';
import { choosePool } from '../core/inference/choose-pool.ts';
import { type Ask, type CheckedModel, runChecks, SAMPLE_CHECK } from '../core/operations/synthetic.ts';
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
    const checked = (await isServed(platform, SAMPLE_CHECK)) ? SAMPLE_CHECK : undefined;
    return runChecks({ ask: askAt(url), apiKey, checked, log, nowMs: () => clock.nowMs() });
  };
}

/** A model that is not there, or whose pool has no workers: a check neither fails for that nor wakes a pool. */
async function isServed({ registry, capacity, config, clock }: Platform, { model }: CheckedModel): Promise<boolean> {
  const stable = (await registry.readRoute(model))?.stable;
  const version = stable === undefined ? undefined : await registry.readVersion(model, stable);
  if (version === undefined) return false;
  const { pool } = version.manifest;
  if (pool !== undefined && !config.pools.includes(pool)) return false;
  return (await capacity.read(choosePool(config.pools, {}, version.manifest), clock.nowMs())).length > 0;
}

function askAt(url: string): Ask {
  return async ({ method, path, headers, body }, signal) => {
    const answer = await fetch(`${url}${path}`, { method, headers, body: body ?? null, signal, redirect: 'error' });
    return { status: answer.status, text: await answer.text() };
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
