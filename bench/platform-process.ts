import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readSampleCredentials } from '../bin/client.ts';
import type { SampleCredentials } from '../embedded/sample-data.ts';
import { endWithParent, stopChild } from './child.ts';
import { sleep } from './statistics.ts';

const ROOT = join(import.meta.dirname, '..');
const SLUICE = join(ROOT, 'bin', 'sluice.ts');
const STARTS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 20_000;
const POLL_MS = 5;

export type StartOptions = {
  readonly profileFolder?: string | undefined;
  /** Beside those of `npm start`. */
  readonly args?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
};

/** `sluice start` in processes of its own, on a data folder. */
export class PlatformProcess {
  /** Of the region `us`, where acme and initech live. */
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #dataFolder: string;
  readonly #credentials: SampleCredentials;

  private constructor(child: ChildProcess, port: number, dataFolder: string, credentials: SampleCredentials) {
    this.#child = child;
    this.pid = child.pid!;
    this.port = port;
    this.#dataFolder = dataFolder;
    this.#credentials = credentials;
  }

  /** Resolves once the samples are there and the region `us` says that it is ready. */
  static async start(dataFolder: string, options: StartOptions = {}): Promise<PlatformProcess> {
    const port = await freePortPair();
    const child = spawnSluice(dataFolder, port, options);
    try {
      return new PlatformProcess(child, port, dataFolder, await untilReady(child, port, dataFolder));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  apiKeyOf(tenant: string): string {
    const found = this.#credentials.tenants.find((each) => each.tenant === tenant);
    if (found === undefined) throw new Error(`there is no sample tenant ${tenant}`);
    return found.apiKey;
  }

  /** One request to the control plane as its operator. Throws unless it is answered 2xx. */
  async control(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.port}/control/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#credentials.operator.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  }

  /** Pushes a model folder as its users do, and makes the version stable. */
  async push(folder: string): Promise<void> {
    const args = [SLUICE, 'model', 'push', folder, '--stable', '--json'];
    await promisify(execFile)(process.execPath, args, {
      env: environment(this.#dataFolder, this.port),
      timeout: 120_000,
    });
  }

  async stop(): Promise<void> {
    await stopChild(this.#child, 'SIGTERM', STOPS_WITHIN_MS);
  }
}

/** What `npm start` gives Node, options of Node included: what is measured is what users run. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [node, ...args] = scripts.start.split(' ');
  if (node !== 'node') throw new Error(`npm start is not run by node: ${scripts.start}`);
  return args;
}

/** Spawns `npm start`'s command with its output in `bench.log` beside the data, and does not wait. */
export function spawnSluice(dataFolder: string, port: number, options: StartOptions = {}): ChildProcess {
  const { profileFolder, args = [], environment: extra } = options;
  mkdirSync(dataFolder, { recursive: true });
  const profile =
    profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-interval=250', `--cpu-prof-dir=${profileFolder}`];
  const log = openSync(join(dataFolder, 'bench.log'), 'a');
  const child = spawn(process.execPath, [...profile, ...startArguments(), ...args], {
    cwd: ROOT,
    stdio: ['ignore', log, log],
    env: { ...environment(dataFolder, port), ...extra },
  });
  closeSync(log);
  endWithParent(child);
  return child;
}

/** Two free ports in a row: `us` takes the first, `eu` the next. */
export async function freePortPair(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await listenOnce(0);
    if (port !== undefined && port < 65_535 && (await listenOnce(port + 1)) !== undefined) return port;
  }
  throw new Error('no two free ports in a row');
}

function environment(dataFolder: string, port: number): Record<string, string> {
  return { PATH: process.env.PATH ?? '', SLUICE_DATA: dataFolder, SLUICE_PORT: String(port) };
}

async function untilReady(child: ChildProcess, port: number, dataFolder: string): Promise<SampleCredentials> {
  const deadlineMs = performance.now() + STARTS_WITHIN_MS;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const credentials = await credentialsOf(dataFolder, port);
    if (credentials !== undefined && (await isReady(port))) return credentials;
    await sleep(POLL_MS);
  }
  throw new Error(
    `sluice start was not ready within ${STARTS_WITHIN_MS} ms (exit code ${child.exitCode}): see bench.log`,
  );
}

/** Written last by a start, with the addresses of that start. */
async function credentialsOf(dataFolder: string, port: number): Promise<SampleCredentials | undefined> {
  try {
    const credentials = await readSampleCredentials(dataFolder);
    return credentials.tenants[0]?.url.endsWith(`:${port}`) ? credentials : undefined;
  } catch {
    return undefined;
  }
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/v2/health/ready`).then(
    (response) => response.ok,
    () => false,
  );
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
