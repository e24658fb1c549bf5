import { CONTROL_HANDLERS } from '../http/control-handlers.ts';
import { buffered } from './buffered.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';

const ROUTES: RoutesOf<'control'> = CONTROL_HANDLERS;

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return buffered(host, createServe(host, ROUTES));
});
