/**
 * Each tenant's data key, wrapped by the region's key. Keys are cached for at most 5 minutes, so an erasure is
 * complete when that time has passed (at once on one machine).
 */
export interface DataKeys {
  /** AES-256-GCM under the tenant's key, made on first use. `context` (such as `job/<id>`) must be given again to open. */
  seal(tenant: string, context: string, plain: Uint8Array): Promise<Uint8Array>;
  /** `data-erased` if the key was destroyed since; `record-damaged` if bytes, tenant or context do not match. */
  open(tenant: string, context: string, sealed: Uint8Array): Promise<Uint8Array>;
  /** HMAC-SHA256 in hex under a key derived from the tenant's: fingerprints that mean nothing to anyone else. */
  fingerprint(tenant: string, bytes: Uint8Array): Promise<string>;
  /** Destroys the key first of all; what was sealed can never be opened again. Harmless if there is none. */
  destroy(tenant: string): Promise<void>;
}
