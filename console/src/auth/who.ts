export type Role = 'tenant-user' | 'tenant-admin' | 'operator' | 'admin';

/** Who signed in, as the token says. It decides what is shown; the API decides what is done. */
export type Who = {
  readonly name: string;
  readonly role: Role;
  /** Undefined for operators, who have none. */
  readonly tenant: string | undefined;
};

const STRENGTH: readonly Role[] = ['tenant-user', 'tenant-admin', 'operator', 'admin'];

/** True if `role` may do what `needed` may. */
export function reaches(role: Role, needed: Role): boolean {
  return STRENGTH.indexOf(role) >= STRENGTH.indexOf(needed);
}
