import {
  listModels,
  readModelMetadata,
  readModelReadiness,
  readVersionMetadata,
  readVersionReadiness,
} from '../http/models.ts';
import { readLiveness, readOpenApi, readReadiness, readServerMetadata } from '../http/server.ts';
import { buffered } from './buffered.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';

const ROUTES: RoutesOf<'catalogue'> = {
  'server-metadata': readServerMetadata,
  'server-live': readLiveness,
  'server-ready': readReadiness,
  'model-list': listModels,
  'model-metadata': readModelMetadata,
  'version-metadata': readVersionMetadata,
  'model-ready': readModelReadiness,
  'version-ready': readVersionReadiness,
  openapi: readOpenApi,
};

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return buffered(host, createServe(host, ROUTES));
});
