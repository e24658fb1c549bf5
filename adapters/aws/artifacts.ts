import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../../core/failure.ts';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import { MIB } from '../../core/units.ts';
import { type ArtifactCache, digestOf } from './artifact-cache.ts';
import type { BucketFiles } from './bucket-files.ts';
import { artifactKey } from './keys.ts';

const DIGEST = /^[0-9a-f]{64}$/;
const READ_BYTES = MIB;

/**
 * Model files in S3, with a local cache before it. An object says of which digest it was written: one that does not, or is of
 * another size, is written again, which is how damage is mended.
 */
export class AwsArtifacts implements Artifacts {
  readonly #files: BucketFiles;
  readonly #cache: ArtifactCache;
  readonly #fetching = new Map<string, Promise<string>>();

  constructor(files: BucketFiles, cache: ArtifactCache) {
    this.#files = files;
    this.#cache = cache;
  }

  async store(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: string; sizeBytes: number }> {
    const draft = await this.#cache.start();
    try {
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of bytes) {
        hash.update(chunk);
        await draft.handle.write(chunk, 0, chunk.length, sizeBytes);
        sizeBytes += chunk.length;
      }
      const digest = hash.digest('hex');
      await this.#upload(draft.path, digest, sizeBytes);
      await this.#cache.keep(draft, digest);
      return { digest, sizeBytes };
    } catch (error) {
      await this.#cache.discard(draft);
      throw error;
    }
  }

  async storeFile(path: string): Promise<{ digest: string; sizeBytes: number }> {
    const digest = await digestOf(path);
    const { size: sizeBytes } = await stat(path);
    await this.#upload(path, digest, sizeBytes);
    return { digest, sizeBytes };
  }

  async fetch(digest: string): Promise<string> {
    if (!DIGEST.test(digest)) throw new Failure('artifact-missing', { digest });
    const cached = await this.#cache.find(digest);
    if (cached !== undefined) return cached;
    let fetching = this.#fetching.get(digest);
    if (fetching === undefined) {
      fetching = this.#download(digest).finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, fetching);
    }
    return fetching;
  }

  async *open(digest: string): AsyncGenerator<Uint8Array> {
    yield* createReadStream(await this.fetch(digest), { highWaterMark: READ_BYTES });
  }

  async has(digest: string): Promise<boolean> {
    return DIGEST.test(digest) && (await this.#files.find(artifactKey(digest))) !== undefined;
  }

  async #upload(path: string, digest: string, sizeBytes: number): Promise<void> {
    const key = artifactKey(digest);
    const found = await this.#files.find(key);
    if (found?.sizeBytes === sizeBytes && found.metadata.sha256 === digest) return;
    await this.#files.upload(path, key, sizeBytes, { sha256: digest });
  }

  async #download(digest: string): Promise<string> {
    const found = await this.#files.find(artifactKey(digest));
    if (found === undefined) throw new Failure('artifact-missing', { digest });
    const draft = await this.#cache.start();
    try {
      await this.#files.download(found, draft.handle);
      if ((await digestOf(draft.path)) !== digest) throw new Failure('artifact-damaged', { digest });
      return await this.#cache.keep(draft, digest);
    } catch (error) {
      await this.#cache.discard(draft);
      throw error;
    }
  }
}
