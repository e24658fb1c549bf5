import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { nameOf } from './aws-failure.ts';

/** How old settings may be, unless they cannot be read. */
const REFRESH_MS = MINUTE_MS;
/** Answers that leave whole wait for a read beside them, which takes some ten milliseconds: for no longer than this. */
const REFRESH_WAIT_MS = SECOND_MS;
/**
 * Processes that start together are throttled together: an account has 40 reads a second unless more was asked for. Five tries with random
 * pauses of 1 s on average end within the 10 s that Lambda gives a start.
 */
const MOST_TRIES = 5;
const LONGEST_PAUSE_MS = 2 * SECOND_MS;

const url = z.url().transform((text) => text.replace(/\/+$/, ''));

const settingsSchema = z.strictObject({
  /** Base URL of every region, known only once its API is there. */
  regionUrls: z.record(z.string().min(1), url),
  /** See `RegionConfig`. */
  corsOrigins: z.array(z.string().min(1)),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']),
  /** See `RegionConfig`. */
  runbookUrl: z.string().min(1).optional(),
});

/** What changes without a deployment: JSON in the settings parameter. */
export type Settings = z.output<typeof settingsSchema>;
/** As the infrastructure writes it. */
export type SettingsText = z.input<typeof settingsSchema>;

type Parts = { readonly client: SSMClient; readonly parameter: string; readonly clock: Clock; readonly log: Log };

/** The region's settings as they were last read. */
export class LiveSettings {
  readonly #parts: Parts;
  #current: Settings;
  #readAtMs: number;
  #reading: Promise<void> | undefined;

  private constructor(parts: Parts, first: Settings) {
    this.#parts = parts;
    this.#current = first;
    this.#readAtMs = parts.clock.nowMs();
  }

  /** Throws what keeps them from being read: a process without any cannot serve. Throttled, it waits for its turn. */
  static async open(parts: Parts): Promise<LiveSettings> {
    for (let tries = 1; ; tries += 1) {
      try {
        return new LiveSettings(parts, await readSettings(parts));
      } catch (error) {
        if (nameOf(error) !== 'ThrottlingException' || tries === MOST_TRIES) throw error;
        await parts.clock.sleep(Math.random() * LONGEST_PAUSE_MS);
      }
    }
  }

  get current(): Settings {
    return this.#current;
  }

  /**
   * Reads again what is older than a minute, and resolves once that is done, after a second at the most; the last good ones stay
   * where it fails, which is logged. Never throws.
   */
  refresh(): Promise<void> {
    const { clock, log } = this.#parts;
    if (clock.nowMs() - this.#readAtMs < REFRESH_MS) return this.#reading ?? Promise.resolve();
    this.#readAtMs = clock.nowMs();
    this.#reading = readSettings(this.#parts, AbortSignal.timeout(REFRESH_WAIT_MS))
      .then(
        (settings) => {
          this.#current = settings;
        },
        (error: unknown) => log.error('the settings could not be read: the last ones stay', error),
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

async function readSettings({ client, parameter }: Parts, signal?: AbortSignal): Promise<Settings> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  const { Parameter: found } = await client.send(new GetParameterCommand({ Name: parameter }), options);
  let json: unknown;
  try {
    json = JSON.parse(found?.Value ?? '');
  } catch (cause) {
    throw new Error(`the parameter ${parameter} holds no JSON`, { cause });
  }
  const { success, data, error } = settingsSchema.safeParse(json);
  if (success) return data;
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`the parameter ${parameter} does not hold settings: ${problems.join('; ')}`, { cause: error });
}
