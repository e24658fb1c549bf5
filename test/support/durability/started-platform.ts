import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { descendantsOf } from '../../../bin/descendants.ts';
import { ApiClient } from '../http-client.ts';
import { isRunning } from '../processes.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const START_LIMIT_MS = 60_000;
const POLL_MS = 25;

export type Credentials = {
  readonly tenants: readonly { tenant: string; region: string; url: string; apiKey: string }[];
  readonly operator: { readonly apiKey: string };
};

/** `npm start` on a folder of its own, in a process that can be killed and started again. */
export class StartedPlatform {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  readonly #port: number;
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(port: number) {
    this.#port = port;
  }

  static async create(): Promise<StartedPlatform> {
    return new StartedPlatform(await twoFreePorts());
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get credentials(): Credentials {
    return JSON.parse(readFileSync(join(this.folder, 'sample-credentials.json'), 'utf8')) as Credentials;
  }

  get operator(): ApiClient {
    const { tenants, operator } = this.credentials;
    return new ApiClient(tenants[0]!.url, operator.apiKey);
  }

  tenant(name: string): ApiClient {
    const { url, apiKey } = this.credentials.tenants.find(({ tenant }) => tenant === name)!;
    return new ApiClient(url, apiKey);
  }

  /** Ids of its runner processes, their guards not counted. */
  runners(): number[] {
    return descendantsOf(this.pid).filter((pid) => commandOf(pid)[0] === process.execPath);
  }

  /** All processes that it has started, and their children. */
  descendants(): number[] {
    return descendantsOf(this.pid);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    this.spawn();
    const untilMs = performance.now() + START_LIMIT_MS;
    while (!this.#output.includes('Ctrl-C')) {
      if (this.#child?.exitCode !== null || performance.now() > untilMs) throw new Error(`no start:\n${this.#output}`);
      await delay(POLL_MS);
    }
  }

  /** Starts without waiting. */
  spawn(): void {
    this.#output = '';
    const child = spawn(process.execPath, [join(ROOT, 'bin', 'sluice.ts'), 'start', '--log-level', 'warn'], {
      cwd: ROOT,
      env: { ...process.env, SLUICE_DATA: this.folder, SLUICE_PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.#child = child;
  }

  /** Resolves when it is dead; `others` die in the same moment. */
  async kill(others: readonly number[] = []): Promise<void> {
    const child = this.#child!;
    const exited = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
    child.kill('SIGKILL');
    for (const pid of others) killNow(pid);
    await exited;
  }

  /** Kills what is left and forgets the data. */
  async end(): Promise<void> {
    const left = this.#child === undefined ? [] : this.descendants();
    if (this.#child !== undefined) await this.kill(left);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** kill -9 of any process; one that is gone already is what was wanted. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Those of the processes that still run when `limitMs` is over. */
export async function stillRunning(pids: readonly number[], limitMs: number): Promise<number[]> {
  const untilMs = performance.now() + limitMs;
  while (performance.now() < untilMs && pids.some(isRunning)) await delay(POLL_MS);
  return pids.filter(isRunning);
}

function commandOf(pid: number): string[] {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8').split('\0') : [];
}

/** The first of two ports that are free now. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = await listen(0);
    const { port } = first!.address() as { port: number };
    const second = port < 65_000 ? await listen(port + 1) : undefined;
    first!.close();
    second?.close();
    if (second !== undefined) return port;
  }
}

/** undefined if the port is taken. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
