import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import { Nonces, openBytes, sealBytes } from '../sealing/envelope.ts';
import type { Commits } from './group-commit.ts';
import { Lru } from './lru.ts';

/** A tenant's key in the clear, in memory only. */
export type TenantKey = { readonly generation: number; readonly secret: KeyObject; readonly fingerprintKey: KeyObject };

type KeyRow = { generation: number; destroyed: number; wrapped: Uint8Array };

const KEY_BYTES = 32;
/** About 1 KB each: 10 MB at the most. */
const MAX_CACHED = 10_000;
/** Before what is sealed: u32 generation of the key, so that bytes of a destroyed key are told from damaged ones. */
const GENERATION_BYTES = 4;

/**
 * Data keys, wrapped, in the region's database. A key is in the cache, and so in use, only once its row is durable.
 * Destroying overwrites the row and empties the log: neither file holds the wrapped key any more.
 */
export class LocalDataKeys implements DataKeys {
  readonly #commits: Commits;
  readonly #regionKey: KeyObject;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #destroy: StatementSync;
  readonly #nonces = new Nonces();
  readonly #cached = new Lru<TenantKey>(MAX_CACHED);
  readonly #loading = new Map<string, Promise<TenantKey>>();

  constructor(database: DatabaseSync, commits: Commits, regionKey: KeyObject) {
    this.#commits = commits;
    this.#regionKey = regionKey;
    this.#select = database.prepare('SELECT generation, destroyed, wrapped FROM data_key WHERE tenant = ?');
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO data_key (tenant, generation, destroyed, wrapped) VALUES (?, ?, 0, ?)',
    );
    this.#destroy = database.prepare(
      'UPDATE data_key SET destroyed = 1, wrapped = zeroblob(length(wrapped)) WHERE tenant = ?',
    );
  }

  /** The tenant's key, made if there is none: what `sealWith` needs. */
  async keyOf(tenant: string): Promise<TenantKey> {
    const cached = this.#cached.get(tenant);
    if (cached !== undefined) return cached;
    let loading = this.#loading.get(tenant);
    if (loading === undefined) {
      loading = this.#load(tenant).finally(() => this.#loading.delete(tenant));
      this.#loading.set(tenant, loading);
    }
    return loading;
  }

  /** `seal` where the key is at hand. */
  sealWith(key: TenantKey, tenant: string, context: string, plain: Uint8Array): Uint8Array {
    const generation = Buffer.alloc(GENERATION_BYTES);
    generation.writeUInt32LE(key.generation);
    return Buffer.concat([
      generation,
      sealBytes(key.secret, this.#nonces.next(), payloadContext(tenant, context), plain),
    ]);
  }

  /** `open` without a promise. */
  openNow(tenant: string, context: string, sealed: Uint8Array): Uint8Array {
    if (sealed.length < GENERATION_BYTES) throw new Failure('record-damaged', { detail: 'too short to be sealed' });
    const generation = Buffer.from(sealed.buffer, sealed.byteOffset, GENERATION_BYTES).readUInt32LE();
    const key = this.#keyOfGeneration(tenant, generation);
    return openBytes(key.secret, payloadContext(tenant, context), sealed.subarray(GENERATION_BYTES));
  }

  async seal(tenant: string, context: string, plain: Uint8Array): Promise<Uint8Array> {
    return this.sealWith(await this.keyOf(tenant), tenant, context, plain);
  }

  async open(tenant: string, context: string, sealed: Uint8Array): Promise<Uint8Array> {
    return this.openNow(tenant, context, sealed);
  }

  async fingerprint(tenant: string, bytes: Uint8Array): Promise<string> {
    const key = await this.keyOf(tenant);
    return createHmac('sha256', key.fingerprintKey).update(bytes).digest('hex');
  }

  async destroy(tenant: string): Promise<void> {
    // A key being made must not land in the cache after it was destroyed.
    await this.#loading.get(tenant)?.catch(() => {});
    await this.#commits.write(() => {
      this.#cached.delete(tenant);
      this.#destroy.run(tenant);
    });
    this.#commits.truncateLog();
  }

  async #load(tenant: string): Promise<TenantKey> {
    const key = await this.#commits.write(() => {
      const row = this.#row(tenant);
      if (row?.destroyed === 0) return this.#unwrap(tenant, row);
      const generation = (row?.generation ?? 0) + 1;
      const secret = randomBytes(KEY_BYTES);
      const wrapped = sealBytes(this.#regionKey, this.#nonces.next(), wrapContext(tenant, generation), secret);
      this.#put.run(tenant, generation, wrapped);
      return tenantKey(generation, secret);
    });
    this.#cached.set(tenant, key);
    return key;
  }

  #keyOfGeneration(tenant: string, generation: number): TenantKey {
    const cached = this.#cached.get(tenant);
    if (cached?.generation === generation) return cached;
    const row = this.#row(tenant);
    if (row === undefined || generation === 0 || generation > row.generation) {
      throw new Failure('record-damaged', { detail: 'sealed under a key that never was' });
    }
    if (generation < row.generation || row.destroyed !== 0) throw new Failure('data-erased');
    const key = this.#unwrap(tenant, row);
    if (!this.#commits.isOpen) this.#cached.set(tenant, key);
    return key;
  }

  #row(tenant: string): KeyRow | undefined {
    return this.#select.get(tenant) as KeyRow | undefined;
  }

  #unwrap(tenant: string, row: KeyRow): TenantKey {
    return tenantKey(row.generation, openBytes(this.#regionKey, wrapContext(tenant, row.generation), row.wrapped));
  }
}

function tenantKey(generation: number, secret: Buffer): TenantKey {
  const fingerprintKey = createHmac('sha256', secret).update('fingerprint').digest();
  return { generation, secret: createSecretKey(secret), fingerprintKey: createSecretKey(fingerprintKey) };
}

function payloadContext(tenant: string, context: string): string {
  return `${tenant}\n${context}`;
}

function wrapContext(tenant: string, generation: number): string {
  return `data-key/${generation}\n${tenant}`;
}
