import type { z } from 'zod';
import type { Role } from '../tenancy/principal.ts';

/** One endpoint: all that a host, the CDK, the console and the OpenAPI document need to know of it. */
export type RouteShape = {
  /** Names its handler. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters in braces, each one of PARAMS. */
  readonly path: string;
  readonly summary: string;
  /** Which surface: predictions, administration, or the description of both. */
  readonly plane: 'data' | 'control' | 'meta';
  /** The least role that may ask, within its own tenant if the role is a tenant's. */
  readonly role: Role | 'public';
  /** Of the query string, all values strings. Without one any query is ignored. */
  readonly query?: z.ZodObject;
  /** A schema for JSON; `oip-infer` has its own decoders; `bytes` is taken as it comes. Without one the body is not read. */
  readonly body?: z.ZodType | 'oip-infer' | 'bytes';
  /** Answers that are not failures, by status; `empty` has no body. */
  readonly responses: { readonly [status: number]: z.ZodType | 'empty' };
};
