import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Uploads } from '../../core/ports/uploads.ts';
import { HOUR_MS } from '../../core/units.ts';
import type { OnBoundary } from './boundary.ts';
import { startFile } from './files.ts';
import type { Commits } from './group-commit.ts';

type UploadRow = {
  readonly owner: string;
  readonly tokenSha256: string;
  readonly maxBytes: number;
  readonly receivedBytes: number | null;
};

type Parts = {
  folder: string;
  database: DatabaseSync;
  commits: Commits;
  clock: Clock;
  onBoundary?: OnBoundary | undefined;
};

/** Files in a folder and who may use them in a table. Of the token in an upload's URL only the hash is kept; it works once. */
export class LocalUploads implements Uploads {
  readonly #parts: Parts;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #receive: StatementSync;
  readonly #delete: StatementSync;
  readonly #expired: StatementSync;
  readonly #ids: StatementSync;
  readonly #receiving = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const prepare = (sql: string) => parts.database.prepare(sql);
    this.#insert = prepare(
      'INSERT INTO upload (id, owner, token_sha256, max_bytes, expires_at_ms) VALUES (?, ?, ?, ?, ?)',
    );
    this.#select = prepare(
      `SELECT owner, token_sha256 AS tokenSha256, max_bytes AS maxBytes, received_bytes AS receivedBytes
       FROM upload WHERE id = ? AND expires_at_ms > ?`,
    );
    this.#receive = prepare('UPDATE upload SET received_bytes = ? WHERE id = ? AND received_bytes IS NULL');
    this.#delete = prepare('DELETE FROM upload WHERE id = ? AND owner = ?');
    this.#expired = prepare('DELETE FROM upload WHERE expires_at_ms <= ? RETURNING id');
    this.#ids = prepare('SELECT id FROM upload');
  }

  /** Removes files that have no row: half written ones, and those that a crash kept from following their row. */
  async removeOrphans(): Promise<void> {
    const known = new Set((this.#ids.all() as { id: string }[]).map(({ id }) => id));
    for (const name of await readdir(this.#parts.folder)) if (!known.has(name)) await this.#removeFile(name);
  }

  async create(owner: string, maxBytes: number): Promise<{ id: string; url: string; expiresAtMs: number }> {
    const id = `upl_${randomBytes(16).toString('hex')}`;
    const token = randomBytes(32).toString('base64url');
    const nowMs = this.#parts.clock.nowMs();
    const expiresAtMs = nowMs + HOUR_MS;
    const expired = await this.#parts.commits.write(() => {
      this.#insert.run(id, owner, sha256(token).toString('hex'), maxBytes, expiresAtMs);
      return this.#expired.all(nowMs) as { id: string }[];
    });
    for (const upload of expired) await this.#removeFile(upload.id);
    return { id, url: `/uploads/${id}?token=${token}`, expiresAtMs };
  }

  async receive(id: string, token: string, bytes: AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number }> {
    const row = await this.#find(id);
    const mayReceive = row !== undefined && row.receivedBytes === null && !this.#receiving.has(id);
    if (!mayReceive || !timingSafeEqual(sha256(token), Buffer.from(row.tokenSha256, 'hex'))) {
      throw new Failure('upload-unknown');
    }
    this.#receiving.add(id);
    try {
      const sizeBytes = await this.#write(id, row.maxBytes, bytes);
      const isKnown = await this.#parts.commits.write(() => this.#receive.run(sizeBytes, id).changes === 1);
      if (!isKnown) {
        await this.#removeFile(id);
        throw new Failure('upload-unknown');
      }
      return { sizeBytes };
    } finally {
      this.#receiving.delete(id);
    }
  }

  async open(owner: string, id: string): Promise<AsyncIterable<Uint8Array>> {
    const row = await this.#find(id);
    if (row === undefined || row.owner !== owner || row.receivedBytes === null) throw new Failure('upload-unknown');
    return createReadStream(join(this.#parts.folder, id));
  }

  async discard(owner: string, id: string): Promise<void> {
    const isOwners = await this.#parts.commits.write(() => this.#delete.run(id, owner).changes === 1);
    if (isOwners) await this.#removeFile(id);
  }

  #find(id: string): Promise<UploadRow | undefined> {
    const nowMs = this.#parts.clock.nowMs();
    return this.#parts.commits.read(() => this.#select.get(id, nowMs) as UploadRow | undefined);
  }

  async #write(id: string, maxBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<number> {
    const file = await startFile(this.#parts.folder, 'upload', this.#parts.onBoundary);
    try {
      let sizeBytes = 0;
      for await (const chunk of bytes) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) throw new Failure('body-too-large', { limit_bytes: maxBytes });
        await file.write(chunk);
      }
      await file.keep(id);
      return sizeBytes;
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  /** Only ids of rows and names of the folder come here: they are no paths. */
  async #removeFile(id: string): Promise<void> {
    await rm(join(this.#parts.folder, id), { force: true });
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
