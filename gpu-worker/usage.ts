import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Provider } from '../adapters/onnx/providers.ts';
import type { GpuUsage, WorkerUsage } from '../core/ports/capacity.ts';
import type { Platform } from '../core/ports/platform.ts';
import { MIB, SECOND_MS } from '../core/units.ts';
import type { RunnerPool } from './pool.ts';

/** What looking costs is two small files a runner, and on a GPU a process of 30 ms. */
export const USAGE_EVERY_MS = 10 * SECOND_MS;
/** A driver that hangs must not hang this. */
const ASK_GPU_MS = 5 * SECOND_MS;
const ASK_GPU = ['--query-gpu=utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits'];
/** Linux counts a process's time in these, whatever its own clock does. */
const TICK_MS = 10;
/** Of `/proc/<pid>/stat`, counted after the name, which may hold spaces. */
const [USER_TICKS, SYSTEM_TICKS] = [11, 12];

type Ask = (file: string, args: readonly string[]) => Promise<string>;

/** What a worker's runners take of the machine: memory as they measured it last, CPU and GPU since the last look. */
export class UsageMeter {
  readonly #ports: Pick<Platform, 'clock' | 'log'>;
  readonly #pool: Pick<RunnerPool, 'processes'>;
  readonly #provider: Provider;
  readonly #ask: Ask;
  #ticks = new Map<number, number>();
  #lookedMs: number;
  #isGpuUnknown = false;
  #latest: WorkerUsage | undefined;

  constructor(
    ports: Pick<Platform, 'clock' | 'log'>,
    pool: Pick<RunnerPool, 'processes'>,
    provider: Provider,
    ask: Ask = run,
  ) {
    this.#ports = ports;
    this.#pool = pool;
    this.#provider = provider;
    this.#ask = ask;
    this.#lookedMs = ports.clock.nowMs();
  }

  /** Undefined before the first look. */
  get latest(): WorkerUsage | undefined {
    return this.#latest;
  }

  async look(): Promise<void> {
    const processes = this.#pool.processes();
    const memoryBytes = processes.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
    const [cpuShare, gpu] = await Promise.all([this.#cpuShare(processes), this.#gpu()]);
    this.#latest = { memoryBytes, cpuShare, gpu };
  }

  /** Cores, of as many as there are runners; undefined where the system does not say. */
  async #cpuShare(processes: readonly { readonly pid: number | undefined }[]): Promise<number | undefined> {
    const nowMs = this.#ports.clock.nowMs();
    const pids = processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    const read = await Promise.all(pids.map(async (pid) => [pid, await ticksOf(pid)] as const));
    const ticks = new Map(read.flatMap(([pid, value]) => (value === undefined ? [] : [[pid, value] as const])));
    const elapsedMs = nowMs - this.#lookedMs;
    let spentMs = 0;
    for (const [pid, value] of ticks) spentMs += Math.max(0, value - (this.#ticks.get(pid) ?? value)) * TICK_MS;
    this.#ticks = ticks;
    this.#lookedMs = nowMs;
    if (ticks.size === 0 || elapsedMs <= 0) return undefined;
    return spentMs / elapsedMs / processes.length;
  }

  async #gpu(): Promise<GpuUsage | undefined> {
    if (this.#provider === 'cpu') return undefined;
    try {
      const usage = parseGpus(await this.#ask('nvidia-smi', ASK_GPU));
      this.#isGpuUnknown = false;
      return usage;
    } catch (error) {
      if (!this.#isGpuUnknown) this.#ports.log.error('the GPU cannot be asked what it does', error);
      this.#isGpuUnknown = true;
      return undefined;
    }
  }
}

/** Of all GPUs that the process sees: their mean utilization, their memory together. */
export function parseGpus(csv: string): GpuUsage {
  const lines = csv.split('\n').filter((line) => line.trim() !== '');
  const gpus = lines.map((line) => line.split(',').map(Number));
  if (gpus.length === 0 || gpus.some((gpu) => gpu.length !== ASKED || gpu.some(Number.isNaN)))
    throw new Error('nvidia-smi answered in another format');
  const sum = (at: number) => gpus.reduce((total, gpu) => total + gpu[at]!, 0);
  return { busyShare: sum(0) / 100 / gpus.length, memoryBytes: sum(1) * MIB, totalBytes: sum(2) * MIB };
}
const ASKED = 3;

/** Of the shell that guards a runner and of the runner, its child; undefined where they are gone, or this is no Linux. */
async function ticksOf(pid: number): Promise<number | undefined> {
  try {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean);
    const stats = await Promise.all([pid, ...children].map((each) => readFile(`/proc/${each}/stat`, 'utf8')));
    return stats.reduce((sum, stat) => sum + ticksIn(stat), 0);
  } catch {
    return undefined;
  }
}

function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, [...args], { timeout: ASK_GPU_MS, killSignal: 'SIGKILL' });
  return stdout;
}
