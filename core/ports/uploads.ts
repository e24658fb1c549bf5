/**
 * Large bytes on their way in, before they are named by digest. An upload belongs to the principal that
 * created it and is forgotten an hour after its creation.
 */
export interface Uploads {
  /** Room for one file of at most `maxBytes`; the caller PUTs the bytes to `url` (absolute or a path of this server). */
  create(owner: string, maxBytes: number): Promise<{ id: string; url: string; expiresAtMs: number }>;
  /** Takes the bytes of `url`'s PUT where this host receives them itself. `upload-unknown`, `body-too-large`. */
  receive(id: string, token: string, bytes: AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number }>;
  /** The uploaded bytes; `upload-unknown` if there is none of this owner or nothing was sent. */
  open(owner: string, id: string): Promise<AsyncIterable<Uint8Array>>;
  discard(owner: string, id: string): Promise<void>;
}
