import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { Failure } from '../../core/failure.ts';

/*
 * AES-256-GCM: 12 bytes of random nonce, the sealed bytes, 16 bytes of tag. Random nonces are safe for 2^32 messages
 * under one key (NIST SP 800-38D, 8.3); a tenant that seals 100 payloads a second takes 16 months to get there.
 */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Nonces drawn at once: a call of randomBytes costs 8 µs, however many bytes it brings. */
const NONCES_DRAWN = 256;

/** Random nonces, each given out once. */
export class Nonces {
  #drawn = Buffer.alloc(0);
  #at = 0;

  next(): Buffer {
    if (this.#at === this.#drawn.length) {
      this.#drawn = randomBytes(NONCE_BYTES * NONCES_DRAWN);
      this.#at = 0;
    }
    this.#at += NONCE_BYTES;
    return this.#drawn.subarray(this.#at - NONCE_BYTES, this.#at);
  }
}

/** Seals `plain` with a nonce that was never used before; `context` is authenticated and must be given again to open. */
export function sealBytes(key: KeyObject, nonce: Buffer, context: string, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `record-damaged` if one bit, the key or the context differs. */
export function openBytes(key: KeyObject, context: string, sealed: Uint8Array): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES)
    throw new Failure('record-damaged', { detail: 'too short to be sealed' });
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, tagAt));
  try {
    decipher.final();
    return plain;
  } catch (cause) {
    throw new Failure('record-damaged', { detail: 'sealed bytes do not open' }, { cause });
  }
}
