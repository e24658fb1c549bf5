import { toProblem, toV2Error } from '../../../core/api/problem.ts';
import { Failure, type FailureCode } from '../../../core/failure.ts';

/** What a gateway's own answers say, by their status. */
const CODES: Readonly<Record<number, FailureCode>> = {
  403: 'route-unknown',
  413: 'body-too-large',
  502: 'internal',
  504: 'internal',
};

/** As the API's GatewayResponses have it: the problem that a function would have answered with. */
export function gatewayProblem(status: number, target: string, requestId: string) {
  const context = { instance: target.replace(/\?.*$/, ''), requestId };
  const toBody = target.startsWith('/v2') ? toV2Error : toProblem;
  const { headers, body } = toBody(new Failure(CODES[status] ?? 'internal'), context);
  return { headers, body: { ...body, status } };
}
