import { CATALOGUE_HANDLERS } from '../http/catalogue-handlers.ts';
import { buffered } from './buffered.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';

const ROUTES: RoutesOf<'catalogue'> = CATALOGUE_HANDLERS;

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return buffered(host, createServe(host, ROUTES));
});
