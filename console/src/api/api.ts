import { createSluiceClient, type SluiceClient } from '../../../clients/typescript/client.ts';
import { SluiceError } from '../../../clients/typescript/sluice-error.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { RegionConfig } from './config.ts';

export type { SluiceClient } from '../../../clients/typescript/client.ts';
export type * from '../../../clients/typescript/schema.ts';
export { SluiceError } from '../../../clients/typescript/sluice-error.ts';

/** Calls are sent once: what shows them asks again by itself, and a verb is repeated by who meant it. */
const ATTEMPTS = 1;

/** The client of a region with the viewer's token. A token that is refused ends the session. `tenant`: for an operator, whom to act for. */
export function createApi(region: RegionConfig, sessions: Sessions, tenant?: string): SluiceClient {
  const client = createSluiceClient({
    baseUrl: region.url,
    token: () => sessions.token(region.id),
    tenant,
    attempts: ATTEMPTS,
    fetch: async (...given) => {
      const response = await fetch(...given);
      if (response.status === 401) sessions.expire(region.id, 'The sign-in has ended or was revoked.');
      return response;
    },
  });
  return client;
}

/** What any failure looks like to a viewer. */
export type ProblemView = {
  readonly title: string;
  readonly advice: string;
  readonly code: string;
  readonly requestId: string | undefined;
};

export function toProblemView(error: unknown): ProblemView {
  if (error instanceof SluiceError) {
    return { title: error.message, advice: error.advice, code: error.code, requestId: error.requestId };
  }
  const title = error instanceof Error ? error.message : String(error);
  return { title, advice: 'Load the page anew.', code: 'console', requestId: undefined };
}
