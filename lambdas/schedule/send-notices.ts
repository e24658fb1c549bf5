import type { Platform } from '../../core/ports/platform.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type DeliveryPorts, DeliveryRunner } from '../../core/webhooks/run-deliveries.ts';
import { tellEnded } from '../../core/webhooks/tell-ended.ts';

/** An index is behind its table by less than this, so that whoever was told of an end finds it at the second look. */
const LOOK_EVERY_MS = SECOND_MS;
const QUIET_LOOKS = 2;
/** A post ends within 10 s. */
const POST_MS = 11 * SECOND_MS;

/**
 * Tells of ends and sends what is due, until nothing is for a second or so, or until `untilMs`; at least one look. Posts under way hold up
 * others of their tenant and address, so that there is more to do as long as there are some.
 */
export async function sendNotices(ports: DeliveryPorts & Pick<Platform, 'jobs'>, untilMs: number): Promise<void> {
  const { clock } = ports;
  const runner = new DeliveryRunner(ports);
  try {
    for (let quiet = 0; quiet < QUIET_LOOKS; ) {
      const done = (await tellEnded(ports)) + (await runner.startDue());
      quiet = done === 0 && !runner.isBusy ? quiet + 1 : 0;
      if (clock.nowMs() + LOOK_EVERY_MS + POST_MS >= untilMs) return;
      if (done === 0 && quiet < QUIET_LOOKS) await clock.sleep(LOOK_EVERY_MS);
    }
  } finally {
    await runner.stop(Math.max(0, Math.min(POST_MS, untilMs - clock.nowMs())));
  }
}
