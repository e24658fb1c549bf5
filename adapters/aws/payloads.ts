import { randomUUID } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import { KIB } from '../../core/units.ts';
import type { Blobs } from './blobs.ts';
import { blobKey } from './keys.ts';

/** Sealed bytes that are kept where they are named, or the key of a blob that holds them. */
export type StoredPayload = Uint8Array | string;

/** An item holds 400 KB, a message 1 MiB: what is sealed of one job is never more than this beside its other fields. */
const INLINE_BYTES = 256 * KIB;

/** Tenants' payloads, sealed under their data keys; large ones as blobs. */
export class Payloads {
  readonly #dataKeys: DataKeys;
  readonly #blobs: Blobs;

  constructor(dataKeys: DataKeys, blobs: Blobs) {
    this.#dataKeys = dataKeys;
    this.#blobs = blobs;
  }

  /** Sealed for `context`, which must be given again to open. `inlineBytes`: larger ones become blobs, each one of its own. */
  async store(
    tenant: string,
    context: string,
    plain: Uint8Array,
    inlineBytes: number = INLINE_BYTES,
  ): Promise<StoredPayload> {
    const sealed = await this.#dataKeys.seal(tenant, context, plain);
    if (sealed.length <= inlineBytes) return sealed;
    const key = blobKey(tenant, `${context}/${randomUUID()}`);
    await this.#blobs.put(key, sealed);
    return key;
  }

  /** Throws `data-erased`, `record-damaged`. */
  async open(tenant: string, context: string, stored: StoredPayload): Promise<Uint8Array> {
    const sealed = typeof stored === 'string' ? await this.#blobs.get(stored) : stored;
    if (sealed === undefined) throw new Failure('record-damaged', { detail: `the blob of ${context} is gone` });
    return this.#dataKeys.open(tenant, context, sealed);
  }

  /** Forgets a payload that nothing names any more. */
  async discard(stored: StoredPayload | undefined): Promise<void> {
    if (typeof stored === 'string') await this.#blobs.delete(stored);
  }
}
