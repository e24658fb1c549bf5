import { text } from 'node:stream/consumers';
import { Histogram } from './histogram.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadReport, LoadRequest, LoadSpec, OpenLoop, TracedRequest } from './load-spec.ts';

/*
 * A process of its own, so that its CPU can be told from the server's: LoadSpec in on stdin, LoadReport out on stdout.
 */
const ANSWERS_WITHIN_MS = 10_000;
const TIMER_LATE_MS = 1.5;
/** Staying awake for 1.5 of 10 ms takes 15 % of a core, and less where requests are rarer. */
const AWAKE_FROM_MS = 10;

class Generator {
  readonly #spec: LoadSpec;
  readonly #requests: readonly Buffer[];
  readonly #connections = new Set<LoadConnection>();
  /** Used in turn, so that none rests for long: servers close those that do. */
  readonly #idle: LoadConnection[] = [];
  readonly #latency = new Histogram();
  readonly #statuses: Record<string, number> = {};
  readonly #trace: TracedRequest[] = [];
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;
  #next = 0;
  #answered = 0;
  #outstanding = 0;
  #broken = 0;
  #closing = false;
  #whenQuiet: (() => void) | undefined;
  /** Due times of an open loop that found no idle connection, oldest first. */
  readonly #late: number[] = [];

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#requests = spec.requests.map((request) => toBytes(request, spec.port));
  }

  async run(): Promise<LoadReport> {
    // One after the other: a thousand at once overflow the server's backlog and wait a second for a retry.
    for (let count = 0; count < this.#spec.loop.connections; count += 1) await this.#connect();
    const startMs = performance.now();
    this.#fromMs = startMs + this.#spec.warmupMs;
    this.#untilMs = this.#fromMs + this.#spec.durationMs;
    const { loop } = this.#spec;
    if (loop.kind === 'open') this.#pace(loop, startMs);
    else for (const connection of this.#idle.splice(0)) this.#send(connection, startMs, startMs);
    await sleep(this.#fromMs - performance.now());
    const before = process.cpuUsage();
    const windowStartMs = performance.now();
    await sleep(this.#untilMs - performance.now());
    const { user, system } = process.cpuUsage(before);
    const windowMs = performance.now() - windowStartMs;
    const answered = this.#answered;
    await this.#quiet();
    this.#closing = true;
    for (const connection of this.#connections) connection.close();
    return {
      windowMs,
      answered,
      statuses: this.#statuses,
      broken: this.#broken,
      unanswered: this.#outstanding + this.#late.length,
      latency: [...this.#latency.counts],
      cpuMs: (user + system) / 1_000,
      trace: this.#trace,
    };
  }

  /** Adds a connection that has nothing to do. */
  #connect(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const connection = new LoadConnection(this.#spec.port, {
        connected: () => {
          this.#connections.add(connection);
          this.#idle.push(connection);
          resolve();
        },
        answered: (self, status) => this.#receive(self, status),
        closed: (inFlight) => {
          if (!this.#connections.delete(connection)) reject(new Error(`no connection to port ${this.#spec.port}`));
          else if (!this.#closing) this.#replace(connection, inFlight);
        },
      });
    });
  }

  /** A server may close a connection that has nothing under way; one that it owes an answer counts as broken. */
  #replace(connection: LoadConnection, inFlight: boolean): void {
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    if (inFlight) {
      this.#broken += 1;
      this.#outstanding -= 1;
      if (this.#outstanding === 0) this.#whenQuiet?.();
    }
    void this.#connect().then(
      () => this.#refill(),
      () => {},
    );
  }

  /** Gives a connection that is there again the work that it would have had. */
  #refill(): void {
    const nowMs = performance.now();
    if (nowMs >= this.#untilMs) return;
    const dueMs = this.#spec.loop.kind === 'closed' ? nowMs : this.#late.shift();
    const connection = dueMs === undefined ? undefined : this.#idle.pop();
    if (dueMs !== undefined && connection !== undefined) this.#send(connection, dueMs, nowMs);
  }

  #pace(loop: OpenLoop, startMs: number): void {
    let dueMs = startMs;
    const awakeMs = loop.everyMs < AWAKE_FROM_MS ? 0 : TIMER_LATE_MS;
    const tick = () => {
      const nowMs = performance.now();
      while (dueMs <= nowMs && dueMs < this.#untilMs) {
        for (let count = 0; count < loop.each; count += 1) this.#offer(dueMs, nowMs);
        dueMs += loop.everyMs;
      }
      if (dueMs >= this.#untilMs) return;
      const waitMs = dueMs - nowMs;
      // Timers are late by up to a millisecond: where loads are slow, the last one is waited for awake.
      if (loop.everyMs < AWAKE_FROM_MS || waitMs > TIMER_LATE_MS) setTimeout(tick, waitMs - awakeMs);
      else setImmediate(tick);
    };
    tick();
  }

  #offer(dueMs: number, nowMs: number): void {
    const connection = this.#idle.shift();
    if (connection === undefined) this.#late.push(dueMs);
    else this.#send(connection, dueMs, nowMs);
  }

  #send(connection: LoadConnection, dueMs: number, nowMs: number): void {
    this.#outstanding += 1;
    const request = this.#requests[this.#next]!;
    this.#next = this.#next + 1 < this.#requests.length ? this.#next + 1 : 0;
    connection.send(request, dueMs, nowMs);
  }

  #receive(connection: LoadConnection, status: number): void {
    const nowMs = performance.now();
    this.#outstanding -= 1;
    if (nowMs >= this.#fromMs && nowMs < this.#untilMs) this.#answered += 1;
    if (connection.dueMs >= this.#fromMs && connection.dueMs < this.#untilMs) this.#count(connection, status, nowMs);
    const closed = this.#spec.loop.kind === 'closed';
    const dueMs = closed ? nowMs : this.#late.shift();
    if (dueMs !== undefined && nowMs < this.#untilMs) this.#send(connection, dueMs, nowMs);
    else this.#idle.push(connection);
    if (this.#outstanding === 0) this.#whenQuiet?.();
  }

  #count(connection: LoadConnection, status: number, nowMs: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status < 300) this.#latency.record(nowMs - connection.dueMs);
    if (this.#spec.trace) this.#trace.push({ sentMs: connection.sentMs, answeredMs: nowMs, status });
  }

  async #quiet(): Promise<void> {
    if (this.#outstanding === 0) return;
    const quiet = new Promise<void>((resolve) => {
      this.#whenQuiet = resolve;
    });
    await Promise.race([quiet, sleep(ANSWERS_WITHIN_MS)]);
  }
}

function toBytes({ method, path, headers, body }: LoadRequest, port: number): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (method === 'POST') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

const report = await new Generator(JSON.parse(await text(process.stdin)) as LoadSpec).run();
process.stdout.write(JSON.stringify(report), () => process.exit(0));
