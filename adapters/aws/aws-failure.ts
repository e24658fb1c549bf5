import { Failure } from '../../core/failure.ts';
import { SECOND_MS } from '../../core/units.ts';

/** Errors by which a service says: not now, too much. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'TooManyRequestsException',
  'SlowDown',
  'RequestThrottled',
  'OverLimit',
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
]);

/** What a caller is told of a service that did not do what it was asked: throttling is overload, the rest an outage. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = nameOf(error);
  if (THROTTLED.has(name)) return new Failure('overloaded', { retryAfterMs: SECOND_MS }, { cause: error });
  return new Failure('storage-unavailable', { retryAfterMs: SECOND_MS }, { cause: error });
}

/** The service's name for an error; '' for what is none. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
