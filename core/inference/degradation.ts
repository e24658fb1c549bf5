import { asFailure, type FailureCode } from '../failure.ts';

/**
 * Why a fallback answered and not the model that was asked: the words of `Sluice-Degraded`.
 * - `breaker-open`: the version keeps failing and is left alone for a while.
 * - `overloaded`: the model would have answered too late, or the workers of its pool are not running.
 * - `timeout`: its run took too long, or the request's deadline passed.
 * - `failed`: it crashed on this input, now or before, or could not be loaded.
 * - `slow`: it had not answered after `fallback.afterMs`; `cold`: and no runner had it loaded, or its pool had no worker at all.
 */
export const DEGRADATIONS = ['breaker-open', 'overloaded', 'timeout', 'failed', 'slow', 'cold'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

/**
 * Failures that a fallback answers for. Never the caller's: a request that is not valid, a quota that is used up, a cancelled
 * one. Nor `prediction-failed`: the model is up and cannot take this input, which whoever sent it has to know; if it is the
 * model that is at fault, the breaker opens, and then the fallback answers. An input that crashed the model does fall back,
 * and goes on to once it is quarantined, so that the same request is answered the same.
 */
const ANSWERED: Partial<Record<FailureCode, Degradation>> = {
  'version-unavailable': 'breaker-open',
  overloaded: 'overloaded',
  'pool-unavailable': 'overloaded',
  'prediction-timeout': 'timeout',
  'prediction-expired': 'timeout',
  'runner-crashed': 'failed',
  'input-quarantined': 'failed',
  'model-load-failed': 'failed',
  'artifact-missing': 'failed',
  'artifact-damaged': 'failed',
};

/** undefined: the failure itself is the answer. */
export function degradationFor(error: unknown): Degradation | undefined {
  return ANSWERED[asFailure(error).code];
}
