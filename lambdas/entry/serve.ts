import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { HTTP_FUNCTIONS, HttpFunction } from '../../adapters/aws/environment.ts';
import { findTarget, type TargetHandlers } from '../http/find-target.ts';
import { createPreflight } from '../http/preflight.ts';
import { createRefusal } from '../http/refuse.ts';
import type { HttpAnswer, HttpHandler } from '../middleware/http-handler.ts';
import { basePathOf, pathOf } from './api-request.ts';
import type { LambdaHost } from './host.ts';

/** The handlers of a function, made from its host: of the endpoints that the contract with the infrastructure names, and no others. */
export type RoutesOf<Name extends HttpFunction, Host = LambdaHost> = Readonly<
  Record<(typeof HTTP_FUNCTIONS)[Name][number], (host: Host) => HttpHandler>
>;

export type Serve = (event: APIGatewayProxyEvent) => Promise<HttpAnswer>;

/** Answers events of API Gateway's REST proxy integration. */
export function createServe<Host extends LambdaHost>(
  host: Host,
  routes: Readonly<Record<string, (host: Host) => HttpHandler>>,
): Serve {
  const made = Object.fromEntries(Object.entries(routes).map(([id, create]) => [id, create(host)]));
  const handlers: TargetHandlers = { routes: made, preflight: createPreflight(host), refuse: createRefusal(host) };
  return async (event) => {
    const { httpMethod: method } = event;
    const path = pathOf(event);
    const { handler, resource, params, refusal } = findTarget(handlers, method, path);
    const { requestId } = event.requestContext;
    const answer = await handler({ ...event, path, resource, pathParameters: params }, { requestId, refusal }).catch(
      (error: unknown): HttpAnswer => {
        host.log.error('handler broke', error, { request_id: requestId });
        return { status: 500, headers: {}, body: '' };
      },
    );
    const { Location: location } = answer.headers;
    if (location?.startsWith('/')) answer.headers.Location = `${basePathOf(event)}${location}`;
    return method === 'HEAD' ? { ...answer, body: '' } : answer;
  };
}
