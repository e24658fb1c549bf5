import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnBoundary } from './boundary.ts';
import { asStorageFailure } from './storage-failure.ts';

const UNFINISHED = '.unfinished-';

/** A file that is written under a name of its own until it is complete. */
export type IncomingFile = {
  write(chunk: Uint8Array): Promise<void>;
  /** Gives the file its name: afterwards, and after any crash, it is there whole or not at all. */
  keep(name: string): Promise<void>;
  discard(): Promise<void>;
};

/** Starts a file of mode 0600 in `folder`; `kind` names its boundaries. Throws `storage-unavailable` if the disk refuses. */
export async function startFile(folder: string, kind: string, onBoundary?: OnBoundary): Promise<IncomingFile> {
  const path = join(folder, `${UNFINISHED}${randomUUID()}`);
  const handle = await onDisk(open(path, 'wx', 0o600));
  return {
    async write(chunk) {
      // One write call may take only part of a chunk.
      for (let at = 0; at < chunk.length; ) at += (await onDisk(handle.write(chunk, at))).bytesWritten;
    },
    async keep(name) {
      await onDisk(handle.sync());
      await handle.close();
      onBoundary?.(`${kind}:synced`);
      await onDisk(rename(path, join(folder, name)));
      await syncFolder(folder);
      onBoundary?.(`${kind}:renamed`);
    },
    async discard() {
      await handle.close().catch(() => {});
      await rm(path, { force: true });
    },
  };
}

/** Removes what a crash left half written. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await onDisk(handle.sync());
  } finally {
    await handle.close();
  }
}

async function onDisk<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw asStorageFailure(error);
  }
}
