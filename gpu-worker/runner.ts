import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { explainLoadError, PROVIDERS, type Provider } from '../adapters/onnx/providers.ts';
import { openSession, type Session } from '../adapters/onnx/session.ts';
import { decodeTensors, encodeTensors } from '../core/inference/tensor-codec.ts';
import { KIB } from '../core/units.ts';
import { FRAME, FrameReader, writeFrame } from './frames.ts';

/*
 * The process that models run in. It loads the files that it is told to, runs one batch at a time and answers over
 * the socket that its parent left at descriptor 3. It knows no tenant and no secret, writes no log and no file but
 * Node's compile cache, and may be killed at any moment. When the socket closes it ends; while a model blocks it, its
 * guard sees to that (runner-process.ts).
 */
const SOCKET_DESCRIPTOR = 3;
/**
 * Runners compute without pause; who shares their cores (a gateway, the worker that feeds them) needs little and at once.
 * Nice 10 weighs a ninth of normal: such a neighbour never waits for a runner's time slice.
 */
const NICE = 10;

setPriority(NICE);
const [providerName, threads, mode] = process.argv.slice(2);
const provider: Provider = PROVIDERS.find((known) => known === providerName) ?? 'cpu';
const settings = { provider, intraOpThreads: Number(threads ?? 1) };
/** Asking the system for its own size takes 10 µs: while serving done once in so many runs. */
const runsPerMeasure = mode === 'thorough' ? 1 : 64;
/** A shorter sleep may be over before it begins, and nothing is booked (seen at 1 µs on a busy machine). */
const ASIDE_MS = 0.1;
const nobody = new Int32Array(new SharedArrayBuffer(4));
const countsOwnTime = mode === 'thorough' && provider === 'cpu' && settings.intraOpThreads === 1;
const sessions = new Map<number, Session>();
const socket = new Socket({ fd: SOCKET_DESCRIPTOR, readable: true, writable: true });
let runs = 0;
let residentBytes = 0;
let peakBytes = 0;

const reader = new FrameReader((kind, payload) => {
  void answer(kind, payload);
});
socket.on('data', (chunk) => reader.push(chunk));
socket.on('close', endNow);
socket.on('error', endNow);
process.on('uncaughtException', endNow);
// A Ctrl-C in the terminal is for the worker, which drains and then ends its runners.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Node writes its cache when it exits, which a runner never does.
flushCompileCache();

async function answer(kind: number, payload: Uint8Array): Promise<void> {
  const startedMs = nowMs();
  const handle = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  const body = payload.subarray(8);
  try {
    if (kind === FRAME.load) await load(handle, body);
    else await run(handle, body, startedMs);
  } catch (error) {
    const reason = kind === FRAME.load ? explainLoadError(settings.provider, error) : messageOf(error);
    writeFrame(socket, FRAME.refused, numbers(nowMs() - startedMs), new TextEncoder().encode(reason));
  }
}

async function load(handle: number, path: Uint8Array): Promise<void> {
  // From the disk too: what a caller waits for.
  const startedMs = performance.now();
  forgetPeak();
  const beforeBytes = process.memoryUsage.rss();
  const session = await openSession(new TextDecoder().decode(path), settings);
  sessions.set(handle, session);
  const loadMs = performance.now() - startedMs;
  measure();
  const { signature } = session;
  const loaded = { signature, loadMs, beforeBytes, residentBytes, peakBytes };
  writeFrame(socket, FRAME.loaded, new Uint8Array(0), new TextEncoder().encode(JSON.stringify(loaded)));
}

async function run(handle: number, body: Uint8Array, startedMs: number): Promise<void> {
  const session = sessions.get(handle);
  if (session === undefined) throw new Error('this model is not loaded here');
  const outputs = await session.run(decodeTensors(body));
  const computeMs = nowMs() - startedMs;
  if (runs % runsPerMeasure === 0) measure();
  runs += 1;
  writeFrame(socket, FRAME.done, numbers(computeMs, residentBytes, peakBytes), encodeTensors(outputs));
}

/** What the thread that runs models has computed, or the time. */
function nowMs(): number {
  if (!countsOwnTime) return performance.now();
  // The system books a thread's time when it is put aside, else only at its next tick, up to 4 ms later.
  Atomics.wait(nobody, 0, 0, ASIDE_MS);
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function measure(): void {
  residentBytes = process.memoryUsage.rss();
  peakBytes = Math.max(residentBytes, process.resourceUsage().maxRSS * KIB);
}

/** What starting Node took at its height is no model's; where the system cannot forget it, it stays counted. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed.
  }
}

function numbers(...values: number[]): Uint8Array {
  return new Uint8Array(new Float64Array(values).buffer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Not process.exit: an exit handler of a native library must not be able to hang it. */
function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}
