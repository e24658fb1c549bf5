import { z } from 'zod';
import type { Principal } from '../tenancy/principal.ts';
import { roleSchema } from '../tenancy/principal.ts';
import { tenantIdSchema } from '../tenancy/tenant.ts';
import type { RouteShape } from './route-shape.ts';

export const sessionJson = z
  .strictObject({
    /** As which it is written into the audit. */
    id: z.string(),
    role: roleSchema,
    /** null of operators, who have none. */
    tenant: tenantIdSchema.nullable(),
    /** Models that the credential may call; null: all of the plan. */
    models: z.array(z.string()).nullable(),
    region: z.string(),
  })
  .meta({ id: 'Session' });

export const SESSION_ROUTES = [
  {
    id: 'session-read',
    method: 'GET',
    path: '/control/v1/session',
    plane: 'control',
    role: 'tenant-user',
    summary: 'Who the credential is to this region, and what it may',
    responses: { 200: sessionJson },
  },
] as const satisfies readonly RouteShape[];

export function sessionToJson({ id, role, tenant, models }: Principal, region: string): z.infer<typeof sessionJson> {
  return { id, role, tenant: tenant ?? null, models: models === undefined ? null : [...models], region };
}
