import { buffered } from '../entry/buffered.ts';
import { openHost } from '../entry/host.ts';
import { start } from '../entry/main.ts';
import { createServe, type RoutesOf } from '../entry/serve.ts';
import type { ModelHost } from '../http/host.ts';
import { postRelease } from '../http/releases.ts';
import { postModelReplay } from '../http/replays.ts';
import { openRuns } from './runs.ts';

const ROUTES: RoutesOf<'replay', ModelHost> = {
  'model-replay': postModelReplay,
  'release-start': postRelease,
};

export const handler = await start(async (lambda) => {
  const host = { ...(await openHost(lambda)), ...openRuns(lambda) };
  return buffered(host, createServe(host, ROUTES));
});
