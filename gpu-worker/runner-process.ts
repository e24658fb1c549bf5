import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { totalmem } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { LoadAnswer, ModelRunner, RunAnswer } from '../adapters/onnx/model-runner.ts';
import type { Provider } from '../adapters/onnx/providers.ts';
import type { Tensor } from '../core/inference/tensor.ts';
import { decodeTensors, encodeTensors } from '../core/inference/tensor-codec.ts';
import { signatureSchema } from '../core/models/signature.ts';
import type { Clock } from '../core/ports/clock.ts';
import { GIB, KIB } from '../core/units.ts';
import { FRAME, type FrameKind, FrameReader, writeFrame } from './frames.ts';

export type RunnerSettings = {
  readonly provider: Provider;
  readonly intraOpThreads: number;
  /** All of the runner's environment; `environmentOf` says what a provider needs. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * A folder of this user alone for Node's compile cache. With it a runner starts in half the time and without the
   * TypeScript compiler: 55 MB instead of 85.
   */
  readonly cacheFolder?: string | undefined;
  /** Memory beyond which allocations of a runner fail; never more than half of the machine. Default 8 GiB. */
  readonly memoryLimitBytes?: number | undefined;
  /**
   * True for validation: memory is looked at after every run (10 µs), not once in 64, and on the CPU with one thread the time of a
   * run is what it computed itself, so that a busy machine does not make a model look slow.
   */
  readonly thorough?: boolean | undefined;
};

/**
 * A blocked model cannot notice that its parent is gone, so a shell holds the other end of the parent's pipe: when
 * that ends, however the parent ended, it kills its own process group. No core file may hold a payload. A model that asks
 * for more memory than the limit is told that there is none, instead of all processes of the machine.
 */
const GUARD = 'ulimit -c 0; ulimit -d "$1"; shift; "$@" & exec 3<&-; read -r _; kill -9 0';
/** Writable memory that Node maps and hardly uses (measured 0.6 GB). */
const RESERVED_BYTES = GIB;
/** Whatever a runner is allowed, it must not bring the machine to where the system kills processes of its own choice. */
const MOST_MEMORY_BYTES = totalmem() / 2;
const DEFAULT_MEMORY_LIMIT_BYTES = 8 * GIB;
const SOCKET_DESCRIPTOR = 3;
/** Beside this file, as a bundle too: with the same ending. */
const RUNNER = fileURLToPath(new URL(`./runner${extname(import.meta.url)}`, import.meta.url));
/** A small young generation halves what an idle runner occupies and costs no measurable speed: tensors lie outside it. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=512'];

const loadedSchema = z.strictObject({
  signature: signatureSchema,
  loadMs: z.number().min(0),
  beforeBytes: z.int().min(0),
  residentBytes: z.int().min(0),
  peakBytes: z.int().min(0),
});

/** Starts a runner; it takes calls at once and answers when it is up. */
export function spawnRunner(settings: RunnerSettings, clock: Clock): ModelRunner {
  const { provider, intraOpThreads, thorough = false } = settings;
  const memoryLimitBytes = Math.min(settings.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES, MOST_MEMORY_BYTES);
  const limitBytes = RESERVED_BYTES + memoryLimitBytes;
  // CUDA maps as much as it likes.
  const limitKib = provider === 'cpu' ? Math.ceil(limitBytes / KIB) : 'unlimited';
  const options = [provider, String(intraOpThreads), thorough ? 'thorough' : 'serving'];
  const runner = [process.execPath, ...NODE_OPTIONS, RUNNER, ...options];
  const cache = settings.cacheFolder === undefined ? {} : { NODE_COMPILE_CACHE: settings.cacheFolder };
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', String(limitKib), ...runner], {
    env: { ...settings.environment, ...cache },
    // Its own process group: killed as one, and a Ctrl-C in the terminal does not reach it while the worker drains.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  child.on('error', () => {});
  const socket = child.stdio?.[SOCKET_DESCRIPTOR];
  // Without descriptors or processes left Node makes no streams.
  if (socket === undefined || socket === null) throw new Error('a runner process could not be started');
  return new RunnerProcess(child, socket as Socket, clock);
}

type Ending = 'crashed' | 'timed-out';
type Call = {
  readonly deadlineMs: number;
  overdue: boolean;
  readonly answered: (kind: number, payload: Uint8Array) => void;
  readonly ended: (how: Ending) => void;
};

class RunnerProcess implements ModelRunner {
  readonly ended: Promise<void>;
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #call: Call | undefined;
  #alive = true;
  #residentBytes = 0;
  #peakBytes = 0;

  constructor(child: ChildProcess, socket: Socket, clock: Clock) {
    this.#child = child;
    this.pid = child.pid;
    this.#clock = clock;
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const reader = new FrameReader((kind, payload) => this.#receive(kind, payload));
    this.#socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch {
        this.kill();
      }
    });
    this.#socket.on('close', () => this.kill());
    this.#socket.on('error', () => this.kill());
    child.stdin?.on('error', () => {});
    child.once('exit', () => this.kill());
    child.once('error', () => this.kill());
  }

  alive(): boolean {
    return this.#alive;
  }

  residentBytes(): number {
    return this.#residentBytes;
  }

  peakBytes(): number {
    return this.#peakBytes;
  }

  load(handle: number, path: string, deadlineMs: number): Promise<LoadAnswer> {
    return new Promise((resolve) => {
      const answered = (kind: number, payload: Uint8Array) => resolve(this.#toLoadAnswer(kind, payload));
      const ended = (how: Ending) => resolve({ kind: how });
      this.#start(FRAME.load, handle, new TextEncoder().encode(path), { deadlineMs, answered, ended });
    });
  }

  run(handle: number, inputs: readonly Tensor[], deadlineMs: number): Promise<RunAnswer> {
    return new Promise((resolve) => {
      const startedMs = this.#clock.nowMs();
      const answered = (kind: number, payload: Uint8Array) => resolve(this.#toRunAnswer(kind, payload));
      const ended = (how: Ending) => resolve({ kind: how, computeMs: this.#clock.nowMs() - startedMs });
      this.#start(FRAME.run, handle, encodeTensors(inputs), { deadlineMs, answered, ended });
    });
  }

  killIfOverdue(nowMs: number): void {
    const call = this.#call;
    if (call === undefined || nowMs <= call.deadlineMs) return;
    // At the second look: after a stall of this process the answer may lie in the socket, unread until the turn is over.
    if (call.overdue) this.#end('timed-out');
    else call.overdue = true;
  }

  kill(): void {
    this.#end('crashed');
  }

  #start(kind: FrameKind, handle: number, body: Uint8Array, call: Omit<Call, 'overdue'>): void {
    if (!this.#alive) {
      call.ended('crashed');
      return;
    }
    if (this.#call !== undefined) throw new Error('a runner takes one call at a time');
    this.#call = { ...call, overdue: false };
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint32(0, handle, true);
    writeFrame(this.#socket, kind, head, body);
  }

  #receive(kind: number, payload: Uint8Array): void {
    const call = this.#call;
    if (call === undefined) {
      this.kill();
      return;
    }
    this.#call = undefined;
    call.answered(kind, payload);
  }

  #toLoadAnswer(kind: number, payload: Uint8Array): LoadAnswer {
    if (kind === FRAME.refused) return { kind: 'refused', reason: textOf(payload.subarray(8)) };
    const loaded = loadedSchema.safeParse(parseOr(undefined, textOf(payload)));
    if (kind !== FRAME.loaded || !loaded.success) {
      this.kill();
      return { kind: 'crashed' };
    }
    const { peakBytes, ...answer } = loaded.data;
    this.#residentBytes = answer.residentBytes;
    this.#peakBytes = peakBytes;
    return { kind: 'loaded', ...answer };
  }

  #toRunAnswer(kind: number, payload: Uint8Array): RunAnswer {
    const numbers = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    if (kind === FRAME.refused) {
      return { kind: 'refused', reason: textOf(payload.subarray(8)), computeMs: numbers.getFloat64(0, true) };
    }
    try {
      const outputs = decodeTensors(payload.subarray(24));
      this.#residentBytes = numbers.getFloat64(8, true);
      this.#peakBytes = numbers.getFloat64(16, true);
      return { kind: 'done', outputs, computeMs: numbers.getFloat64(0, true) };
    } catch {
      // What is not an answer comes from a process whose memory can no longer be trusted.
      this.kill();
      return { kind: 'crashed', computeMs: 0 };
    }
  }

  #end(how: Ending): void {
    if (!this.#alive) return;
    this.#alive = false;
    const call = this.#call;
    this.#call = undefined;
    killGroup(this.#child);
    this.#socket.destroy();
    this.#child.stdin?.destroy();
    call?.ended(how);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone already: that is what was wanted.
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function parseOr(otherwise: undefined, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
