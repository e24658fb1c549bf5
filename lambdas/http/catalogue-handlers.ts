import type { RouteId } from '../../core/api/routes.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import type { HttpHost } from './host.ts';
import {
  listModels,
  readModelMetadata,
  readModelReadiness,
  readVersionMetadata,
  readVersionReadiness,
} from './models.ts';
import { readLiveness, readOpenApi, readReadiness, readServerMetadata } from './server.ts';

/** Endpoints that tell what there is: the server, its models, the API. */
export const CATALOGUE_HANDLERS = {
  'server-metadata': readServerMetadata,
  'server-live': readLiveness,
  'server-ready': readReadiness,
  'model-list': listModels,
  'model-metadata': readModelMetadata,
  'version-metadata': readVersionMetadata,
  'model-ready': readModelReadiness,
  'version-ready': readVersionReadiness,
  openapi: readOpenApi,
} as const satisfies { readonly [Id in RouteId]?: (host: HttpHost) => HttpHandler };
