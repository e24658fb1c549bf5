import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { asFailure, Failure } from '../../core/failure.ts';
import { MIB, MINUTE_MS, SECOND_MS } from '../../core/units.ts';

const READ_BYTES = MIB;
/** A file that was asked for this recently may be about to be opened: it is not removed to make room. */
const IN_USE_MS = 10 * MINUTE_MS;
/** Of a half written file: left by a process that died. */
const ABANDONED_MS = 60 * MINUTE_MS;
const DIGEST = /^[0-9a-f]{64}$/;

/** A file being written, not yet known by its digest. */
export type Draft = { readonly path: string; readonly handle: FileHandle };

/** Files by digest in a local folder of at most `maxBytes`; those asked for longest ago go first. Only checked files are in it. */
export class ArtifactCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** The check of each file, under way or done, and of which state of it. */
  readonly #checks = new Map<string, { readonly state: string; readonly done: Promise<boolean> }>();

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** The path of a file whose digest holds; one that was changed here is removed. */
  async find(digest: string): Promise<string | undefined> {
    const path = join(this.#folder, digest);
    const state = await stateOf(path);
    if (state === undefined) return undefined;
    let check = this.#checks.get(digest);
    if (check?.state !== state) {
      check = { state, done: digestOf(path).then((found) => found === digest) };
      this.#checks.set(digest, check);
    }
    if (await check.done.catch(() => false)) {
      const now = new Date();
      await utimes(path, now, (await stat(path)).mtime).catch(() => {});
      return path;
    }
    this.#checks.delete(digest);
    await rm(path, { force: true });
    return undefined;
  }

  async start(): Promise<Draft> {
    const path = join(this.#folder, `draft-${randomUUID()}`);
    return { path, handle: await open(path, 'wx').catch(rethrow) };
  }

  /** Makes a draft the file of its digest. */
  async keep({ path, handle }: Draft, digest: string): Promise<string> {
    await handle.close();
    const { size } = await stat(path);
    await this.#makeRoom(size, digest);
    const kept = join(this.#folder, digest);
    await rename(path, kept);
    this.#checks.set(digest, { state: (await stateOf(kept)) ?? '', done: Promise.resolve(true) });
    return kept;
  }

  async discard({ path, handle }: Draft): Promise<void> {
    await handle.close().catch(() => {});
    await rm(path, { force: true });
  }

  /** As much as there is: a file larger than the cache is kept all the same, alone. */
  async #makeRoom(bytes: number, digest: string): Promise<void> {
    const nowMs = performance.timeOrigin + performance.now();
    const files = [];
    let usedBytes = bytes;
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || name === digest) continue;
      const isDraft = !DIGEST.test(name);
      if (!isDraft) usedBytes += found.size;
      const restMs = nowMs - found.atimeMs;
      if (restMs > (isDraft ? ABANDONED_MS : IN_USE_MS)) files.push({ path, isDraft, size: found.size, restMs });
    }
    files.sort((a, b) => b.restMs - a.restMs);
    for (const { path, isDraft, size } of files) {
      if (!isDraft && usedBytes <= this.#maxBytes) continue;
      await rm(path, { force: true });
      if (!isDraft) usedBytes -= size;
    }
  }
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}

/** What changes when the file does; undefined if there is none. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}/${size}/${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return rethrow(error);
  }
}

function rethrow(cause: unknown): never {
  const failure = asFailure(cause);
  if (failure.code !== 'internal') throw failure;
  throw new Failure('storage-unavailable', { retryAfterMs: SECOND_MS }, { cause });
}
