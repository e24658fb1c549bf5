import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { LoggedLevel, LogLevelChange, LogLevels } from '../ports/log-levels.ts';
import type { Platform } from '../ports/platform.ts';
import { MINUTE_MS, SECOND_MS } from '../units.ts';

/** How old what a process knows of changes may be. With the time that it takes to be asked, a change is everywhere within a minute. */
export const LEVEL_AGE_MS = 30 * SECOND_MS;

/** Has every process of the region log from this level on, within a minute, for so many minutes; a later change replaces it. */
export async function setLogLevel(
  { logLevels, clock }: Pick<Platform, 'logLevels' | 'clock'>,
  by: string,
  level: LoggedLevel,
  minutes: number,
): Promise<LogLevelChange> {
  const change = { level, untilMs: Math.floor(clock.nowMs()) + minutes * MINUTE_MS, by };
  await logLevels.put(change);
  return change;
}

/** The change that is in force; undefined: each process logs as it was started. */
export async function readLogLevel({
  logLevels,
  clock,
}: Pick<Platform, 'logLevels' | 'clock'>): Promise<LogLevelChange | undefined> {
  const change = await logLevels.read();
  return change !== undefined && clock.nowMs() < change.untilMs ? change : undefined;
}

type Parts = { readonly logLevels: Pick<LogLevels, 'read'>; readonly clock: Clock; readonly log: Log };

/** Keeps the level of one process's log: that of the change in force, else its own. */
export class LiveLogLevel<Own extends string> {
  readonly #parts: Parts;
  readonly #apply: (level: Own | LoggedLevel) => void;
  readonly #ageMs: number;
  #own: Own;
  #applied: Own | LoggedLevel;
  #change: LogLevelChange | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** `apply` is called when the level becomes another one, and not before. */
  constructor(parts: Parts, own: Own, apply: (level: Own | LoggedLevel) => void, ageMs: number = LEVEL_AGE_MS) {
    this.#parts = parts;
    this.#own = own;
    this.#applied = own;
    this.#apply = apply;
    this.#ageMs = ageMs;
  }

  /** Looks for a change where what is known is old; a change that is over is over without a look. Never throws. */
  async refresh(own: Own = this.#own): Promise<void> {
    const { logLevels, clock, log } = this.#parts;
    this.#own = own;
    const nowMs = clock.nowMs();
    if (nowMs - this.#readAtMs >= this.#ageMs) {
      this.#readAtMs = nowMs;
      try {
        this.#change = await logLevels.read();
      } catch (error) {
        log.error('the log level could not be read: the last one stays', error);
      }
    }
    const change = this.#change;
    const level = change !== undefined && clock.nowMs() < change.untilMs ? change.level : this.#own;
    if (level === this.#applied) return;
    this.#applied = level;
    this.#apply(level);
  }
}
