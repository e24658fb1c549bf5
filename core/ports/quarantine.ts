/** Inputs that killed a runner on the stable version, by tenant-keyed fingerprint: refused at once from then on. */
export interface Quarantine {
  add(tenant: string, fingerprint: string, reason: string, expiresAtMs: number): Promise<void>;
  /** Cheap where the tenant has none (the usual case), and without a promise where the host knows. */
  isEmpty(tenant: string): boolean | Promise<boolean>;
  has(tenant: string, fingerprint: string, nowMs: number): Promise<boolean>;
  erase(tenant: string): Promise<void>;
}
