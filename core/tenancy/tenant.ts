import { z } from 'zod';
import { POOL_ID } from '../models/manifest.ts';
import { planLimitsSchema } from './plan.ts';

export const TENANT_ID = /^[a-z][a-z0-9-]{1,62}$/;
export const REGION_ID = /^[a-z]{2}[a-z0-9-]{0,20}$/;

export const tenantIdSchema = z
  .string()
  .regex(TENANT_ID, 'lower-case letters, digits and dashes, 2 to 63, letter first');
export const regionSchema = z.string().regex(REGION_ID, 'a region name such as us or eu-west-1');

/** What a wrong region does with a request of this tenant: refuse with 421 (default), redirect with 307, or forward one hop. */
export const wrongRegionSchema = z.enum(['refuse', 'redirect', 'forward']);

/** A customer account. It lives in one region and nowhere else. */
export const tenantSchema = z.strictObject({
  id: tenantIdSchema,
  name: z.string().min(1).max(200),
  region: regionSchema,
  plan: z.string(),
  /** Changes to the plan's limits for this tenant alone. */
  overrides: planLimitsSchema.partial().default({}),
  wrongRegion: wrongRegionSchema.default('refuse'),
  /** Origins whose browsers may call with this tenant's tokens, as the Origin header spells them. */
  allowedOrigins: z.array(z.string().max(200)).max(50).default([]),
  suspended: z.boolean().default(false),
  /** Workers of its own, named by pool; without it each model's pool serves it. */
  pool: z.string().regex(POOL_ID, 'a pool name').optional(),
  /** By model, the version that answers this tenant where it names none, whatever releases say. */
  pins: z.record(z.string(), z.string()).optional(),
  /** True if it agreed to copies of its predictions being kept, encrypted, for models whose manifest samples them. */
  captureConsent: z.boolean().default(false),
  createdAtMs: z.int(),
  /** Grows with every change; a write names the one it read. */
  epoch: z.int(),
});

export type Tenant = z.infer<typeof tenantSchema>;
export type WrongRegion = z.infer<typeof wrongRegionSchema>;
export type DirectoryEntry = { readonly tenant: string; readonly region: string; readonly wrongRegion: WrongRegion };
