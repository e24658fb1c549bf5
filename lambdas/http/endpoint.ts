import { parseJson } from '../../core/api/json.ts';
import { parseWith } from '../../core/api/parse.ts';
import type { RouteShape } from '../../core/api/route-shape.ts';
import {
  type AnswerOf,
  type BodyOf,
  type ParamsOf,
  type QueryOf,
  ROUTES,
  type RouteId,
} from '../../core/api/routes.ts';
import { chain } from '../middleware/chain.ts';
import type { Exchange } from '../middleware/exchange.ts';
import type { HttpAnswer, HttpHandler } from '../middleware/http-handler.ts';
import type { HttpHost } from './host.ts';
import { readText } from './read-body.ts';

/** A request of one route, parsed as the table says. */
export type RouteRequest<Id extends RouteId> = {
  readonly exchange: Exchange;
  readonly params: ParamsOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
};

/** What a route answers; a body that the table calls empty is undefined. */
export type Reply<Id extends RouteId> = {
  readonly status: number;
  readonly body: AnswerOf<Id>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A route behind its middleware: query and body are parsed with the table's schemas, the reply becomes JSON. */
export function endpoint<Id extends RouteId>(
  host: HttpHost,
  id: Id,
  handle: (request: RouteRequest<Id>) => Reply<Id> | Promise<Reply<Id>>,
): HttpHandler {
  const route: RouteShape = findRoute(id);
  return chain(host, route, async (exchange) => {
    const request = {
      exchange,
      params: exchange.event.pathParameters,
      query: queryOf(route, exchange),
      body: bodyOf(route, exchange),
    };
    // The table's schemas made the values and its types name them: ParamsOf, QueryOf and BodyOf hold by construction.
    return toAnswer(await handle(request as RouteRequest<Id>));
  });
}

/** A route behind its middleware whose handler reads the body and writes the answer itself. */
export function rawEndpoint(
  host: HttpHost,
  id: RouteId,
  handle: (exchange: Exchange) => HttpAnswer | Promise<HttpAnswer>,
): HttpHandler {
  return chain(host, findRoute(id), handle);
}

function findRoute(id: RouteId): RouteShape {
  return ROUTES.find((route) => route.id === id)!;
}

function queryOf(route: RouteShape, { event }: Exchange): unknown {
  return route.query === undefined ? undefined : parseWith(route.query, event.queryStringParameters ?? {}, 'query');
}

function bodyOf(route: RouteShape, { event, headers }: Exchange): unknown {
  if (route.body === undefined || typeof route.body === 'string') return undefined;
  return parseWith(route.body, parseJson(readText(event, headers)), 'body');
}

function toAnswer<Id extends RouteId>({ status, body, headers }: Reply<Id>): HttpAnswer {
  if (body === undefined) return { status, headers: { ...headers }, body: '' };
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
