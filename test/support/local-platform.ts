import { cpSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnBoundary } from '../../adapters/local/boundary.ts';
import { type OpenRegion, openRegion } from '../../adapters/local/open-region.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import type { Log } from '../../core/ports/log.ts';
import { ManualClock } from './manual-clock.ts';

/** One region on a folder of its own, with a clock that the test moves. */
export type LocalPlatform = {
  readonly ports: OpenRegion;
  readonly clock: ManualClock;
  readonly log: Log;
  /** What was logged so far. */
  readonly logged: readonly string[];
  /** The region's files. */
  readonly folder: string;
  /** Opens the region again after `ports.close()`. */
  start(): Promise<void>;
  /** Closes the region in order and opens it again. */
  reopen(): Promise<void>;
  /** Goes on with a copy of the files as they are now: what kill -9 at this moment would leave. */
  crash(): Promise<void>;
  close(): Promise<void>;
};

export const TEST_REGION = 'us';

export async function openLocalPlatform(options: { onBoundary?: OnBoundary } = {}): Promise<LocalPlatform> {
  const clock = new ManualClock();
  const logged: string[] = [];
  const log = new JsonLog({ write: (line) => logged.push(line) }, clock, 'debug');
  const folders = [mkdtempSync(join(tmpdir(), 'sluice-test-'))];
  const open = () => openRegion({ ...options, dataFolder: folders.at(-1)!, region: TEST_REGION, clock, log });
  let ports = await open();
  return {
    get ports() {
      return ports;
    },
    clock,
    log,
    logged,
    get folder() {
      return join(folders.at(-1)!, TEST_REGION);
    },
    async start() {
      ports = await open();
    },
    async reopen() {
      await ports.close();
      ports = await open();
    },
    async crash() {
      const copy = mkdtempSync(join(tmpdir(), 'sluice-test-'));
      cpSync(folders.at(-1)!, copy, { recursive: true });
      await ports.close();
      folders.push(copy);
      ports = await open();
    },
    async close() {
      await ports.close();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}
