import { expect } from 'vitest';
import { Failure, type FailureCode } from '../../core/failure.ts';

/** The failure that `act` throws; anything else that it does fails the test. */
export function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return error as Failure;
  }
  throw new Error('nothing was thrown');
}

/** Expects a failure with this code and at least these facts. */
export function expectFailure(act: () => unknown, code: FailureCode, facts: object = {}): void {
  const failure = failureOf(act);
  expect({ code: failure.code, ...failure.facts }).toMatchObject({ code, ...facts });
}

/** The same of a call that takes its time. */
export async function expectFailureOf(call: Promise<unknown>, code: FailureCode, facts: object = {}): Promise<void> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expectFailure(
    () => {
      throw thrown;
    },
    code,
    facts,
  );
}
