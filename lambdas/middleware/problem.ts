import { toProblem, toV2Error } from '../../core/api/problem.ts';
import { asFailure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Middleware } from './exchange.ts';

/**
 * Turns what was thrown into problem+json, on the data plane with the protocol's `error` string. Anything but a Failure is
 * `internal`: the caller gets the request id, the log the cause.
 */
export function problem(log: Log): Middleware {
  return {
    onError(step) {
      if (step.response != null) return;
      const { event, invocation } = step.event;
      const failure = asFailure(step.error);
      if (failure.code === 'internal') log.error('request broke', step.error, { request_id: invocation.requestId });
      const toBody = event.path.startsWith('/v2') ? toV2Error : toProblem;
      const { status, headers, body } = toBody(failure, { instance: event.path, requestId: invocation.requestId });
      step.response = { status, headers: { ...headers }, body: JSON.stringify(body) };
    },
  };
}
