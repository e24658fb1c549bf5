import { Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log, LogFields } from '../../core/ports/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where lines go: process.stdout, a file stream. */
export type LogSink = { write(line: string): unknown; readonly writableLength?: number };

/** A sink that does not keep up may hold this much before lines are dropped: about 4,000 lines of 250 bytes. */
const MAX_PENDING_BYTES = 1_000_000;
const MAX_TEXT_LENGTH = 500;
const MAX_CAUSES = 5;

/**
 * One JSON object a line: time, level, message, then the fields. Values that are not text, numbers or booleans are left
 * out, so that no object can carry payload here by mistake. Lines that the sink cannot take are dropped and counted.
 */
export class JsonLog implements Log {
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #fixed: LogFields;
  #rank: number;
  #dropped = 0;

  /** `fixed` fields, such as the region, are on every line. */
  constructor(sink: LogSink, clock: Clock, level: LogLevel = 'info', fixed: LogFields = {}) {
    this.#sink = sink;
    this.#clock = clock;
    this.#fixed = fixed;
    this.#rank = LOG_LEVELS.indexOf(level);
  }

  get level(): LogLevel {
    return LOG_LEVELS[this.#rank] ?? 'silent';
  }

  /** Lines below `level` are left out from now on. */
  setLevel(level: LogLevel): void {
    this.#rank = LOG_LEVELS.indexOf(level);
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#rank <= 0) this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#rank <= 1) this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#rank <= 2) this.#write('warn', message, fields);
  }

  error(message: string, cause: unknown, fields?: LogFields): void {
    if (this.#rank <= 3) this.#write('error', message, fields, describeCauses(cause));
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}, cause?: readonly object[]): void {
    try {
      if ((this.#sink.writableLength ?? 0) > MAX_PENDING_BYTES) {
        this.#dropped += 1;
        return;
      }
      const line: Record<string, unknown> = { time: new Date(this.#clock.nowMs()).toISOString(), level, message };
      addFields(line, this.#fixed);
      addFields(line, fields);
      if (cause !== undefined) line.cause = cause;
      if (this.#dropped > 0) line.dropped_lines = this.#dropped;
      this.#sink.write(`${JSON.stringify(line)}\n`);
      this.#dropped = 0;
    } catch {
      // A broken sink must not take the request down with it; the next line that gets through says how many were lost.
      this.#dropped += 1;
    }
  }
}

function addFields(line: Record<string, unknown>, fields: LogFields): void {
  for (const [name, value] of Object.entries(fields)) {
    if (name in line) continue;
    if (typeof value === 'string') line[name] = value.slice(0, MAX_TEXT_LENGTH);
    else if (typeof value === 'number' || typeof value === 'boolean') line[name] = value;
  }
}

/** The error and its causes, outermost first. Messages of foreign errors may quote payload and are left out. */
function describeCauses(thrown: unknown): object[] {
  const described: object[] = [];
  let cause = thrown;
  while (cause !== undefined && described.length < MAX_CAUSES) {
    if (!(cause instanceof Error)) {
      described.push({ name: typeof cause });
      break;
    }
    described.push(describe(cause));
    cause = cause.cause;
  }
  return described;
}

function describe(error: Error & { code?: unknown }): object {
  // V8's stack begins with the message: only the frames after it are kept.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name.slice(0, MAX_TEXT_LENGTH),
    ...(typeof error.code === 'string' ? { code: error.code.slice(0, MAX_TEXT_LENGTH) } : {}),
    ...(error instanceof Failure ? { message: error.message.slice(0, MAX_TEXT_LENGTH) } : {}),
    stack: frames.slice(0, 10).map((frame) => frame.trim()),
  };
}
