import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import { MIB } from '../../core/units.ts';
import type { OnBoundary } from './boundary.ts';
import { startFile } from './files.ts';
import { asStorageFailure } from './storage-failure.ts';

const DIGEST = /^[0-9a-f]{64}$/;
/** A model is read in a few hundred pieces. */
const READ_BYTES = MIB;

/** One file per digest in a folder. Each is hashed when first fetched by this process, and again if it has changed since. */
export class LocalArtifacts implements Artifacts {
  readonly #folder: string;
  readonly #onBoundary: OnBoundary | undefined;
  /** The check of each digest, under way or done, and of which state of the file. */
  readonly #checks = new Map<string, { readonly state: string; readonly done: Promise<void> }>();

  constructor(folder: string, onBoundary?: OnBoundary) {
    this.#folder = folder;
    this.#onBoundary = onBoundary;
  }

  async store(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: string; sizeBytes: number }> {
    const file = await startFile(this.#folder, 'artifact', this.#onBoundary);
    try {
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of bytes) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        await file.write(chunk);
      }
      const digest = hash.digest('hex');
      // Over what is there: storing again is how a damaged file is mended.
      await file.keep(digest);
      return { digest, sizeBytes };
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  async fetch(digest: string): Promise<string> {
    const state = await this.#stateOf(digest);
    if (state === undefined) throw new Failure('artifact-missing', { digest });
    const path = join(this.#folder, digest);
    let check = this.#checks.get(digest);
    if (check?.state !== state) {
      check = { state, done: checkDigest(path, digest) };
      this.#checks.set(digest, check);
      check.done.catch(() => this.#checks.delete(digest));
    }
    await check.done;
    return path;
  }

  storeFile(path: string): Promise<{ digest: string; sizeBytes: number }> {
    return this.store(createReadStream(path, { highWaterMark: READ_BYTES }));
  }

  async *open(digest: string): AsyncGenerator<Uint8Array> {
    yield* createReadStream(await this.fetch(digest), { highWaterMark: READ_BYTES });
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#stateOf(digest)) !== undefined;
  }

  /** What changes when the file does; undefined if there is none. */
  async #stateOf(digest: string): Promise<string | undefined> {
    // A digest is part of a path: nothing else may be.
    if (!DIGEST.test(digest)) return undefined;
    try {
      const { ino, size, mtimeMs } = await stat(join(this.#folder, digest));
      return `${ino}/${size}/${mtimeMs}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw asStorageFailure(error);
    }
  }
}

async function checkDigest(path: string, digest: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) hash.update(chunk);
  } catch (cause) {
    throw new Failure('artifact-damaged', { digest, detail: 'the file cannot be read' }, { cause });
  }
  if (hash.digest('hex') !== digest) throw new Failure('artifact-damaged', { digest });
}
