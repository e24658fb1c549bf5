import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { FreshCache } from '../../core/fresh-cache.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { Nonces, openBytes, sealBytes } from '../sealing/envelope.ts';
import { toFailure } from './aws-failure.ts';
import { dataKeyKey } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

/** What an erasure waits for at the most: no key is in memory longer than this without being asked for again. */
const CACHED_MS = 5 * MINUTE_MS;
/** About 1 KB each: 10 MB at the most. */
const MOST_CACHED = 10_000;
/** Before what is sealed: u32 generation of the key, so that bytes of a destroyed key are told from damaged ones. */
const GENERATION_BYTES = 4;

const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  generation: z.int().min(1),
  /** Absent once destroyed. */
  wrappedKey: z.instanceof(Uint8Array).optional(),
});
type KeyItem = z.infer<typeof itemSchema>;
type TenantKey = { readonly generation: number; readonly secret: KeyObject; readonly fingerprintKey: KeyObject };

/**
 * Data keys, made and wrapped by KMS under the region's key with tenant and generation as encryption context, in a table
 * without backups: a destroyed key is in none. Two calls of KMS a tenant and process every five minutes at the most.
 */
export class AwsDataKeys implements DataKeys {
  readonly #table: Table;
  readonly #kms: KMSClient;
  readonly #keyId: string;
  readonly #clock: Clock;
  readonly #nonces = new Nonces();
  readonly #keys = new FreshCache<TenantKey>(CACHED_MS, MOST_CACHED);

  constructor(table: Table, kms: KMSClient, keyId: string, clock: Clock) {
    this.#table = table;
    this.#kms = kms;
    this.#keyId = keyId;
    this.#clock = clock;
  }

  async seal(tenant: string, context: string, plain: Uint8Array): Promise<Uint8Array> {
    const key = await this.#keyOf(tenant);
    const generation = Buffer.alloc(GENERATION_BYTES);
    generation.writeUInt32LE(key.generation);
    return Buffer.concat([generation, sealBytes(key.secret, this.#nonces.next(), `${tenant}\n${context}`, plain)]);
  }

  async open(tenant: string, context: string, sealed: Uint8Array): Promise<Uint8Array> {
    if (sealed.length < GENERATION_BYTES) throw new Failure('record-damaged', { detail: 'too short to be sealed' });
    const generation = Buffer.from(sealed.buffer, sealed.byteOffset, GENERATION_BYTES).readUInt32LE();
    const key = await this.#keyOfGeneration(tenant, generation);
    return openBytes(key.secret, `${tenant}\n${context}`, sealed.subarray(GENERATION_BYTES));
  }

  async fingerprint(tenant: string, bytes: Uint8Array): Promise<string> {
    const { fingerprintKey } = await this.#keyOf(tenant);
    return createHmac('sha256', fingerprintKey).update(bytes).digest('hex');
  }

  async destroy(tenant: string): Promise<void> {
    await this.#table.change(dataKeyKey(tenant), { text: 'REMOVE wrappedKey', condition: 'attribute_exists(pk)' });
    this.#keys.delete(tenant);
  }

  async #keyOf(tenant: string): Promise<TenantKey> {
    return this.#keys.get(tenant, this.#clock.nowMs(), () => this.#readOrMake(tenant));
  }

  async #keyOfGeneration(tenant: string, generation: number): Promise<TenantKey> {
    const cached = this.#keys.peek(tenant, this.#clock.nowMs());
    if (cached?.generation === generation) return cached;
    const item = await this.#read(tenant);
    if (item === undefined || generation === 0 || generation > item.generation) {
      throw new Failure('record-damaged', { detail: 'sealed under a key that never was' });
    }
    if (generation < item.generation || item.wrappedKey === undefined) throw new Failure('data-erased');
    // The key in memory is one that was destroyed meanwhile.
    if (cached !== undefined) this.#keys.delete(tenant);
    return this.#keyOf(tenant);
  }

  async #readOrMake(tenant: string): Promise<TenantKey> {
    const item = await this.#read(tenant);
    if (item?.wrappedKey !== undefined) return this.#unwrap(tenant, item.generation, item.wrappedKey);
    const generation = (item?.generation ?? 0) + 1;
    const { wrapped, secret } = await this.#make(tenant, generation);
    const { written } = await this.#table.put(
      { ...dataKeyKey(tenant), generation, wrappedKey: wrapped },
      {
        text: 'attribute_not_exists(pk) OR (generation = :before AND attribute_not_exists(wrappedKey))',
        values: { ':before': generation - 1 },
      },
    );
    // Somebody else was first: that key is the tenant's.
    return written ? tenantKey(generation, secret) : this.#readOrMake(tenant);
  }

  async #read(tenant: string): Promise<KeyItem | undefined> {
    const item = await this.#table.get(dataKeyKey(tenant));
    return item === undefined ? undefined : parseItem(itemSchema, item);
  }

  async #make(tenant: string, generation: number): Promise<{ wrapped: Uint8Array; secret: Uint8Array }> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#keyId,
      KeySpec: 'AES_256',
      EncryptionContext: encryptionContext(tenant, generation),
    });
    const { CiphertextBlob: wrapped, Plaintext: secret } = await this.#kms.send(command).catch(rethrow);
    if (wrapped === undefined || secret === undefined) throw new Error('KMS made no key');
    return { wrapped, secret };
  }

  async #unwrap(tenant: string, generation: number, wrapped: Uint8Array): Promise<TenantKey> {
    const command = new DecryptCommand({
      KeyId: this.#keyId,
      CiphertextBlob: wrapped,
      EncryptionContext: encryptionContext(tenant, generation),
    });
    const { Plaintext: secret } = await this.#kms.send(command).catch(rethrow);
    if (secret === undefined) throw new Error('KMS opened no key');
    return tenantKey(generation, secret);
  }
}

function tenantKey(generation: number, bytes: Uint8Array): TenantKey {
  const secret = createSecretKey(bytes);
  const fingerprintKey = createHmac('sha256', secret).update('fingerprint').digest();
  return { generation, secret, fingerprintKey: createSecretKey(fingerprintKey) };
}

function encryptionContext(tenant: string, generation: number): Record<string, string> {
  return { tenant, generation: String(generation), purpose: 'data-key' };
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
