import { ConfiguredRetryStrategy } from '@smithy/core/retry';

type Refresh = ConfiguredRetryStrategy['refreshRetryTokenForRetry'];

/**
 * A call and three more, each after a random part (full jitter) of a pause that doubles from 0.1 s: 0.7 s of pauses at the
 * most, also when throttled. A caller that hears of overload soon can wait better than a handler that is paid for waiting.
 */
export const MOST_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

/** Those pauses and no longer ones: a service that asks for more, which the SDK would give it up to 5 s a pause, is not waited for. */
export class BoundedRetry extends ConfiguredRetryStrategy {
  constructor() {
    super(MOST_ATTEMPTS, pauseMs);
  }

  override refreshRetryTokenForRetry(
    token: Parameters<Refresh>[0],
    { retryAfterHint: _, ...errorInfo }: Parameters<Refresh>[1],
  ): ReturnType<Refresh> {
    return super.refreshRetryTokenForRetry(token, errorInfo);
  }
}

/** After attempt 1, 2, … */
export function pauseMs(attempt: number): number {
  return Math.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1);
}
