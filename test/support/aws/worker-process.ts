import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { WorkerVariables } from '../../../adapters/aws/environment.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'gpu-worker', 'main.ts');
const GIB = 1024 ** 3;
/** A worker that is told to stop may take as long to finish what runs. */
const DRAIN_MS = 20_000;

/** A worker of a pool as ECS runs it: told all by its environment, ended by SIGTERM. */
export class WorkerProcess {
  readonly #process: ChildProcess;
  readonly #folder: string;

  /** `variables`: those of the region, and where AWS is. */
  constructor(
    variables: Readonly<Record<string, string>>,
    runners: number,
    logLines: string[],
    preload: readonly string[] = [],
  ) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
    const own: WorkerVariables = {
      SLUICE_POOL: 'default',
      SLUICE_PROVIDER: 'cpu',
      SLUICE_RUNNERS: String(runners),
      SLUICE_INTRA_OP_THREADS: '1',
      SLUICE_MEMORY_LIMIT_BYTES: String(2 * GIB),
      SLUICE_CACHE_FOLDER: this.#folder,
      SLUICE_CACHE_BYTES: String(GIB),
      SLUICE_PRELOAD: preload.join(','),
      SLUICE_INSTANCE_TYPE: 'm7g.large',
      SLUICE_PURCHASE: 'spot',
      SLUICE_PRICES: '{"m7g.large":{"on-demand":0.08,"spot":0.036}}',
      SLUICE_METER_SECONDS: '1',
    };
    this.#process = spawn(process.execPath, [MAIN], {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...variables, ...own },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface(output).on('line', (line) => logLines.push(line));
    }
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** As ECS ends a task. */
  async stop(): Promise<void> {
    const cut = setTimeout(() => this.#process.kill('SIGKILL'), DRAIN_MS);
    await this.#end('SIGTERM');
    clearTimeout(cut);
  }

  /** As a machine that is lost. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.hasEnded) {
      const ended = once(this.#process, 'exit');
      this.#process.kill(signal);
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
