import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSampleModel } from '../models/build.ts';
import type { SampleName } from '../models/catalogue.ts';
import { PlatformProcess, type StartOptions } from './platform-process.ts';

const MODEL_CACHE = join(import.meta.dirname, '..', '.cache', 'models');
/** encoder-l6 is set up for bulk load, with long batches; this one shares its weights and not that. */
export const INTERACTIVE_ENCODER = 'encoder-interactive';
/** Beyond what any measurement here reaches: what is measured is the platform, not a plan. */
export const OPEN_LIMITS = {
  requests_per_second: 1_000_000,
  request_burst: 1_000_000,
  rows_per_minute: 1_000_000_000,
  requests_in_flight: 100_000,
  waiting_handlers: 100_000,
  daily_compute_ms: 1_000_000_000_000,
  weight: 4,
  models: ['*'],
};

/** What measurements share: a data folder with the models and open plans, made once, and fresh processes on it. */
export class Bench {
  readonly quick: boolean;
  /** Where to write CPU profiles of gateways; undefined: no profiles. */
  readonly profileFolder: string | undefined;
  readonly workFolder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  #prepared: Promise<string> | undefined;

  constructor(options: { readonly quick: boolean; readonly profileFolder: string | undefined }) {
    this.quick = options.quick;
    this.profileFolder = options.profileFolder;
  }

  progress(line: string): void {
    console.error(`  ${line}`);
  }

  async modelPath(name: SampleName): Promise<string> {
    return join(await this.#modelFolder(name), 'model.onnx');
  }

  /** A data folder that has been started before, with all samples; acme and initech have the plan `bench`: no limits that matter. */
  preparedFolder(): Promise<string> {
    this.#prepared ??= this.#prepare();
    return this.#prepared;
  }

  /** A fresh platform on the prepared folder, stopped when `body` is done. */
  async withPlatform<T>(body: (platform: PlatformProcess) => Promise<T>, given: StartOptions = {}): Promise<T> {
    const options = { profileFolder: this.profileFolder, ...given };
    const platform = await PlatformProcess.start(await this.preparedFolder(), options);
    try {
      return await body(platform);
    } finally {
      await platform.stop();
    }
  }

  /** A platform as `npm start` makes it for the first time. */
  startFirstPlatform(): Promise<PlatformProcess> {
    return PlatformProcess.start(mkdtempSync(join(this.workFolder, 'first-')));
  }

  dispose(): void {
    rmSync(this.workFolder, { recursive: true, force: true });
  }

  /** The same model under `INTERACTIVE_ENCODER`, with the cap on a batch's time that models have unless they say otherwise. */
  #asInteractive(folder: string): string {
    const copy = join(this.workFolder, INTERACTIVE_ENCODER);
    cpSync(folder, copy, { recursive: true });
    const path = join(copy, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { name: string; batching: { maxBatchMs?: number } };
    manifest.name = INTERACTIVE_ENCODER;
    delete manifest.batching.maxBatchMs;
    writeFileSync(path, JSON.stringify(manifest));
    return copy;
  }

  #modelFolder(name: SampleName): Promise<string> {
    return ensureSampleModel(name, MODEL_CACHE, (line) => this.progress(line));
  }

  async #prepare(): Promise<string> {
    this.progress('preparing a data folder with the models');
    const folder = join(this.workFolder, 'prepared');
    const platform = await PlatformProcess.start(folder);
    try {
      const encoder = await this.#modelFolder('encoder-l6');
      await platform.push(encoder);
      await platform.push(this.#asInteractive(encoder));
      await platform.control('PUT', '/plans/bench', { limits: OPEN_LIMITS });
      for (const tenant of ['acme', 'initech'])
        await platform.control('PATCH', `/tenants/${tenant}`, { plan: 'bench' });
    } finally {
      await platform.stop();
    }
    return folder;
  }
}
