import { z } from 'zod';
import type { ApiKeyRecord, IssuerRecord } from '../ports/registry.ts';
import { roleSchema } from './principal.ts';

/** As a registry stores an API key: what is undefined is left out. */
export const apiKeySchema: z.ZodType<ApiKeyRecord> = z
  .strictObject({
    id: z.string(),
    secretSha256: z.string(),
    tenant: z.string().optional(),
    role: roleSchema,
    models: z.array(z.string()).optional(),
    label: z.string(),
    createdAtMs: z.number(),
    expiresAtMs: z.number().optional(),
    revokedAtMs: z.number().optional(),
  })
  .transform((key) => ({
    tenant: undefined,
    models: undefined,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    ...key,
  }));

/** As a registry stores an issuer. */
export const issuerSchema: z.ZodType<IssuerRecord> = z.strictObject({
  issuer: z.string(),
  audience: z.string(),
  jwksUri: z.string(),
  tenants: z.array(z.string()),
  maxRole: roleSchema,
});
