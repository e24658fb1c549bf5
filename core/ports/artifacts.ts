/**
 * Model files by SHA-256 digest (hex). They are not tenant data and are not encrypted per tenant.
 * A file appears whole or not at all.
 */
export interface Artifacts {
  /** Stores bytes and returns their digest; storing the same again is harmless. */
  store(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: string; sizeBytes: number }>;
  /** The same with the bytes of a local file. */
  storeFile(path: string): Promise<{ digest: string; sizeBytes: number }>;
  /**
   * A local path of the file, whose digest was checked when it was brought here.
   * `artifact-missing` if it is not in the store, `artifact-damaged` if the bytes do not match.
   */
  fetch(digest: string): Promise<string>;
  /** The bytes of the file, checked first; throws as `fetch` does when they are asked for. */
  open(digest: string): AsyncIterable<Uint8Array>;
  has(digest: string): Promise<boolean>;
}
