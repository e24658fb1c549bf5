import { postRedrive } from '../http/dead-letters.ts';
import { infer, inferVersion } from '../http/infer.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';
import { streamed } from './streamed.ts';

const ROUTES: RoutesOf<'infer'> = { infer, 'version-infer': inferVersion, 'dead-letter-redrive': postRedrive };

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return streamed(host, createServe(host, ROUTES));
});
