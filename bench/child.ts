import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** Runs a script in a process of its own: `spec` goes in as JSON, its JSON answer comes out. */
export async function runScript<T>(script: URL, spec: unknown, timeoutMs: number): Promise<T> {
  const child = spawn(process.execPath, [fileURLToPath(script)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: Math.ceil(timeoutMs),
    killSignal: 'SIGKILL',
  });
  endWithParent(child);
  child.stdin.end(JSON.stringify(spec));
  const answer = await text(child.stdout);
  if (answer === '') throw new Error(`${script.pathname} ended without an answer (within ${timeoutMs} ms)`);
  return JSON.parse(answer) as T;
}

export type Server = {
  readonly port: number;
  readonly pid: number;
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
};

/** Starts a script that listens on a free port and prints it as its first line. */
export async function startServer(script: URL, args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithParent(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('exit', () => reject(new Error(`${script.pathname} ended before it listened`)));
  });
  return { port, pid: child.pid!, stop: () => stopChild(child, 'SIGTERM', 5_000) };
}

/** Sends the signal, then SIGKILL if the process is still there after `patienceMs`. */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  child.kill(signal);
  await ended;
  clearTimeout(impatience);
}

/** Nothing that a measurement started outlives it. */
export function endWithParent(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
