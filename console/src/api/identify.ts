import { createSluiceClient } from '../../../clients/typescript/client.ts';
import type { Who } from '../auth/who.ts';
import type { RegionConfig } from './config.ts';

/** Who a token is to a region: the region says, as it is the one that decides. */
export async function identify({ url }: RegionConfig, token: string): Promise<Who> {
  const { id, role, tenant } = await createSluiceClient({ baseUrl: url, token }).call('session-read');
  return { name: id, role, tenant: tenant ?? undefined };
}
