import type { Secrets } from '../../adapters/aws/secrets.ts';
import { parseSigningKey, type SigningKey, type SigningKeySource } from '../../adapters/identity/signing-key.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';

/** How old a key may be, unless it cannot be read again: for as long processes may differ after a rotation. */
const REFRESH_MS = 5 * MINUTE_MS;
/** A request waits for no longer, of the ten milliseconds that a read takes. */
const REFRESH_WAIT_MS = SECOND_MS;

type Parts = {
  readonly secrets: Secrets;
  /** Name or ARN of the secret that `setup` fills. */
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The region's signing key, read when the first token of ours is to be signed or verified, and again once it is five minutes old. The
 * last good one stays where that fails, which is logged. Throws what keeps the first one from being read.
 */
export function liveSigningKey({ secrets, secret, clock, log }: Parts): SigningKeySource {
  const fetch = async (signal?: AbortSignal): Promise<SigningKey> => {
    const text = await secrets.read(secret, signal);
    if (text === undefined) throw new Error('the secret of the signing key has no value: `setup` has not run');
    return parseSigningKey(text);
  };
  let key: Promise<SigningKey> | undefined;
  let readAtMs = 0;
  const fetchFirst = () =>
    fetch().catch((error: unknown) => {
      key = undefined;
      throw error;
    });
  const fetchAgain = (last: Promise<SigningKey>) =>
    fetch(AbortSignal.timeout(REFRESH_WAIT_MS)).catch((error: unknown) => {
      log.error('the signing key could not be read again: the last one stays', error);
      return last;
    });
  return () => {
    const nowMs = clock.nowMs();
    if (key !== undefined && nowMs - readAtMs < REFRESH_MS) return key;
    readAtMs = nowMs;
    key = key === undefined ? fetchFirst() : fetchAgain(key);
    return key;
  };
}
