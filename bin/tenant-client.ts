import { createSluiceClient, type SluiceClient } from '../clients/typescript/client.ts';
import { SluiceError } from '../clients/typescript/sluice-error.ts';
import { NoAnswer, noAnswer, RequestRefused, readSampleCredentials } from './client.ts';
import { connect, dataFolder } from './options.ts';

/** What says for which tenant a command asks, and where. */
export type ActsFor = { readonly tenant?: string; readonly url?: string; readonly key?: string };

export const SAMPLE_TENANT = 'acme';

/** As whom, and where: options, then the environment, then the sample tenant that `npm start` made. */
export async function actingClient(options: ActsFor): Promise<{ client: SluiceClient; url: string }> {
  const key = options.key ?? process.env.SLUICE_API_KEY;
  const tenant = options.tenant ?? (key === undefined ? SAMPLE_TENANT : undefined);
  const sample = key === undefined ? await sampleTenant(tenant) : undefined;
  const url = options.url ?? process.env.SLUICE_URL ?? sample?.url;
  const connection = await connect({ ...(url !== undefined && { url }), ...definedKey(key ?? sample?.apiKey) });
  return {
    client: createSluiceClient({ baseUrl: connection.url, token: connection.apiKey, tenant }),
    url: connection.url,
  };
}

function definedKey(key: string | undefined): { readonly key?: string } {
  return key === undefined ? {} : { key };
}

/** undefined: an operator asks for it. */
async function sampleTenant(id: string | undefined) {
  try {
    return (await readSampleCredentials(dataFolder())).tenants.find(({ tenant }) => tenant === id);
  } catch {
    // `connect` says what is missing.
    return undefined;
  }
}

/** As the other commands say it. */
export function forTerminal(error: unknown, url: string): unknown {
  if (!(error instanceof SluiceError)) return error;
  if (error.problem !== undefined) return new RequestRefused(error.problem.status, error.problem);
  if (error.code === 'network') return noAnswer(url, error);
  return new NoAnswer(`${error.message} (${error.code})\n  ${error.advice}`, { cause: error });
}
