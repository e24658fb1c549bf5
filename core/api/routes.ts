import type { z } from 'zod';
import { ALARM_ROUTES } from './alarm-routes.ts';
import { CONTROL_ROUTES } from './control-routes.ts';
import { COST_ROUTES } from './cost-routes.ts';
import { DATA_ROUTES } from './data-routes.ts';
import { FEEDBACK_ROUTES } from './feedback-routes.ts';
import { METRICS_ROUTES } from './metrics-routes.ts';
import { OPERATIONS_ROUTES } from './operations-routes.ts';
import { QUALITY_ROUTES } from './quality-routes.ts';
import { RELEASE_ROUTES } from './release-routes.ts';
import { SESSION_ROUTES } from './session-routes.ts';
import { WEBHOOK_ROUTES } from './webhook-routes.ts';

/** THE table of endpoints. Hosts, OpenAPI, CDK and console all read it; an endpoint is in it when it works. */
export const ROUTES = [
  ...DATA_ROUTES,
  ...CONTROL_ROUTES,
  ...METRICS_ROUTES,
  ...FEEDBACK_ROUTES,
  ...RELEASE_ROUTES,
  ...QUALITY_ROUTES,
  ...OPERATIONS_ROUTES,
  ...WEBHOOK_ROUTES,
  ...ALARM_ROUTES,
  ...COST_ROUTES,
  ...SESSION_ROUTES,
] as const;

export type Route = (typeof ROUTES)[number];
export type RouteId = Route['id'];
type RouteOf<Id extends RouteId> = Extract<Route, { readonly id: Id }>;

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** Path parameters of a route, decoded and matched against PARAMS. */
export type ParamsOf<Id extends RouteId> = { readonly [Name in NamesIn<RouteOf<Id>['path']>]: string };

/** The parsed query of a route; undefined where it takes none. */
export type QueryOf<Id extends RouteId> =
  RouteOf<Id> extends { readonly query: infer Q extends z.ZodType } ? z.output<Q> : undefined;

/** The parsed JSON body of a route; undefined where it takes none, or one that is not described by a schema. */
export type BodyOf<Id extends RouteId> =
  RouteOf<Id> extends { readonly body: infer B extends z.ZodType } ? z.output<B> : undefined;

/** JSON bodies that a route may answer with, of all its statuses; undefined is an empty one. */
export type AnswerOf<Id extends RouteId> = Id extends RouteId ? BodyIn<RouteOf<Id>['responses']> : never;

type BodyIn<Responses> = {
  [Status in keyof Responses]: Responses[Status] extends infer R extends z.ZodType ? z.input<R> : undefined;
}[keyof Responses];
