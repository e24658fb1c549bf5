import { z } from 'zod';

/** From least to most: each role may do what those before it may, within its reach. */
export const ROLES = ['tenant-user', 'tenant-admin', 'operator', 'admin'] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;

/**
 * Who is asking, once verified. Tenant roles carry their tenant; an operator or admin carries none and
 * reaches every tenant of the region through the control plane.
 */
export type Principal = {
  /** Stable and safe to log: `key:<id>` or `user:<issuer's subject>`. */
  readonly id: string;
  readonly tenant: string | undefined;
  readonly role: Role;
  /** Models that this credential may call; undefined is all of the plan's. */
  readonly models: readonly string[] | undefined;
  /** The end user that a browser token is for, if any: the sticky unit of a release. */
  readonly user: string | undefined;
};

/** True if `role` may do what `needed` may. */
export function roleReaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
