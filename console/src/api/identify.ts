import type { Role, Who } from '../auth/who.ts';
import type { RegionConfig } from './config.ts';

/** Who a token is. */
export async function identify(_region: RegionConfig, token: string): Promise<Who> {
  const payload = token.split('.')[1] ?? '';
  const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string | undefined>;
  const { sub = '', sluice_role: role = 'tenant-user', sluice_tenant: tenant } = claims;
  return { name: sub, role: role as Role, tenant };
}
