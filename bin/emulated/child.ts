import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SECOND_MS } from '../../core/units.ts';

export type Command = {
  readonly file: string;
  readonly args?: readonly string[];
  /** All that it is told: nothing of this process's own environment. */
  readonly variables: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly onLine?: (line: string) => void;
  /** Stops it. */
  readonly signal: AbortSignal;
};

/** Lines kept of what a process says, to be shown if it fails. */
const LAST_LINES = 40;
/** After SIGTERM, before SIGKILL. */
const GRACE_MS = 5 * SECOND_MS;

/** A process of ours. */
export class Child {
  /** What it said last. */
  readonly lines: string[] = [];
  /** Its exit code, or the signal that ended it, once all is read that it said; throws where it could not be started. */
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor({ file, args = [], variables, folder, onLine, signal }: Command) {
    signal.throwIfAborted();
    this.#process = spawn(file, args, { env: variables, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface(output).on('line', (line) => {
        this.lines.push(line);
        if (this.lines.length > LAST_LINES) this.lines.shift();
        onLine?.(line);
      });
    }
    this.#exited = once(this.#process, 'exit').catch(() => {});
    this.ended = once(this.#process, 'close').then(([code, cause]) => (code ?? cause) as number | string);
    this.ended.catch(() => {});
    signal.addEventListener('abort', () => void this.stop());
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** SIGTERM, and SIGKILL for one that has not ended within five seconds. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#process.kill('SIGTERM');
    const cut = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
    await this.#exited;
    clearTimeout(cut);
  }
}
