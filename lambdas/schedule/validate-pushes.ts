import { runNextValidation, type ValidatorPorts } from '../../core/models/run-validation.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';

/** Two minutes of runs and one of loading at the most, and then the files. */
const LONGEST_MS = 5 * MINUTE_MS;
/** To kill the model and give the record back. */
const GIVE_BACK_MS = 10 * SECOND_MS;

/**
 * Validates pushes one after the other until none is left, or until `untilMs` is too near for another one. One that takes
 * longer is broken off and waits for the next time, which does not count as an attempt.
 */
export async function validatePushes(ports: ValidatorPorts, untilMs: number): Promise<number> {
  const { clock } = ports;
  const stopped = new AbortController();
  const ended = new AbortController();
  const late = clock
    .sleep(untilMs - GIVE_BACK_MS - clock.nowMs(), ended.signal)
    .then(() => stopped.abort(new Error('the time of this function is over')))
    .catch(() => {});
  let validated = 0;
  try {
    do {
      if ((await runNextValidation(ports, { signal: stopped.signal })) === undefined) break;
      validated += 1;
    } while (clock.nowMs() + LONGEST_MS < untilMs);
  } finally {
    ended.abort();
    await late;
  }
  return validated;
}
