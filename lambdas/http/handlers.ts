import type { RouteId } from '../../core/api/routes.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { CATALOGUE_HANDLERS } from './catalogue-handlers.ts';
import { CONTROL_HANDLERS } from './control-handlers.ts';
import { postRedrive } from './dead-letters.ts';
import { postFeedback } from './feedback.ts';
import type { ModelHost } from './host.ts';
import { infer, inferVersion } from './infer.ts';
import { cancelPrediction, readPrediction } from './predictions.ts';
import { createPreflight } from './preflight.ts';
import { createRefusal } from './refuse.ts';
import { postRelease } from './releases.ts';
import { postModelReplay } from './replays.ts';

/** The handler of every route in the table; the compiler sees to it that none is missing. */
const HANDLERS: Readonly<Record<RouteId, (host: ModelHost) => HttpHandler>> = {
  ...CATALOGUE_HANDLERS,
  infer,
  'version-infer': inferVersion,
  'dead-letter-redrive': postRedrive,
  'prediction-read': readPrediction,
  'prediction-cancel': cancelPrediction,
  'feedback-give': postFeedback,
  ...CONTROL_HANDLERS,
  'model-replay': postModelReplay,
  'release-start': postRelease,
};

/** The handler of each route. They keep nothing but what they are made from. */
export function createHandlers(host: ModelHost): Readonly<Record<RouteId, HttpHandler>> {
  const routes = Object.entries(HANDLERS).map(([id, create]) => [id, create(host)]);
  return Object.fromEntries(routes) as Record<RouteId, HttpHandler>;
}

/** All that a host calls. */
export type HttpHandlers = {
  readonly routes: Readonly<Record<RouteId, HttpHandler>>;
  /** OPTIONS on any route. */
  readonly preflight: HttpHandler;
  /** Whatever no route takes: answers the invocation's refusal. */
  readonly refuse: HttpHandler;
};

export function createHttp(host: ModelHost): HttpHandlers {
  return { routes: createHandlers(host), preflight: createPreflight(host), refuse: createRefusal(host) };
}
