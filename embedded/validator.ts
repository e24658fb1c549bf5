import { runNextValidation, type ValidatorPorts } from '../core/models/run-validation.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Validations } from '../core/ports/validations.ts';
import { SECOND_MS } from '../core/units.ts';

/** A push rings; this is for a validation that is to be tried again. */
const LOOK_EVERY_MS = 2 * SECOND_MS;

/** Ends a sleep early; a ring that comes before the sleep ends it at once. */
export class Alarm {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([this.#rung.signal, signal])).catch(() => {});
    this.#rung = new AbortController();
  }
}

/** The same validations; `alarm` rings for each that is added. */
export function ringing(validations: Validations, alarm: Alarm): Validations {
  return {
    async add(record) {
      const added = await validations.add(record);
      alarm.ring();
      return added;
    },
    read: (id) => validations.read(id),
    take: (nowMs, leaseUntilMs) => validations.take(nowMs, leaseUntilMs),
    update: (record) => validations.update(record),
    list: (model, limit) => validations.list(model, limit),
    purge: (nowMs) => validations.purge(nowMs),
  };
}

/**
 * Validates pushes one after the other until stopped, those first that a former process left. Stopping kills the model that is being
 * looked at; its push waits for the next start.
 */
export function startValidator(ports: ValidatorPorts, alarm: Alarm): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const validating = validateUntil(ports, alarm, stopped.signal);
  return {
    async stop() {
      stopped.abort(new Error('the validator is stopped'));
      await validating;
    },
  };
}

async function validateUntil(ports: ValidatorPorts, alarm: Alarm, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if ((await runNextValidation(ports, { signal })) !== undefined) continue;
    } catch (error) {
      ports.log.error('the record of a validation cannot be written', error);
    }
    await alarm.sleep(ports.clock, LOOK_EVERY_MS, signal);
  }
}
