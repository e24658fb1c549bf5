import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import { type Adapter, atOnce, type Case, describeContract, failureCodeOf, type Subject } from './contract.ts';

/** `damage` changes a byte of the stored file, `lose` removes it. */
export type ArtifactsSubject = Subject<Artifacts> & {
  damage(digest: string): Promise<void>;
  lose(digest: string): Promise<void>;
};

type ArtifactsCase = Case<ArtifactsSubject>;

const BYTES = randomBytes(300_000);
const DIGEST = createHash('sha256').update(BYTES).digest('hex');

async function* inPieces(bytes: Uint8Array, failAfter = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 70_000) {
    if (at > failAfter) throw new Error('the sender went away');
    yield bytes.subarray(at, at + 70_000);
  }
}

export const artifactsCases: readonly ArtifactsCase[] = [
  {
    name: 'stores bytes under their digest and fetches them whole, after a crash too',
    async run(subject) {
      expect(await subject.port.has(DIGEST)).toBe(false);
      expect(await failureCodeOf(subject.port.fetch(DIGEST))).toBe('artifact-missing');
      expect(await subject.port.store(inPieces(BYTES))).toEqual({ digest: DIGEST, sizeBytes: BYTES.length });
      await subject.crash();
      expect(await subject.port.has(DIGEST)).toBe(true);
      expect((await readFile(await subject.port.fetch(DIGEST))).equals(BYTES)).toBe(true);
    },
  },
  {
    name: 'stores the same again without harm, at once too',
    async run({ port }) {
      const stored = await atOnce(3, () => port.store(inPieces(BYTES)));
      expect(stored.map(({ digest }) => digest)).toEqual([DIGEST, DIGEST, DIGEST]);
      expect((await readFile(await port.fetch(DIGEST))).equals(BYTES)).toBe(true);
    },
  },
  {
    name: 'keeps nothing of bytes that did not all come',
    async run({ port }) {
      await expect(port.store(inPieces(BYTES, 100_000))).rejects.toThrow('the sender went away');
      const partial = createHash('sha256').update(BYTES.subarray(0, 140_000)).digest('hex');
      expect([await port.has(DIGEST), await port.has(partial)]).toEqual([false, false]);
    },
  },
  {
    name: 'finds a damaged or missing file out, and is mended by storing it again',
    async run(subject) {
      await subject.port.store(inPieces(BYTES));
      await subject.damage(DIGEST);
      await subject.reopen();
      expect(await failureCodeOf(subject.port.fetch(DIGEST))).toBe('artifact-damaged');
      expect(await failureCodeOf(Array.fromAsync(subject.port.open(DIGEST)))).toBe('artifact-damaged');
      await subject.port.store(inPieces(BYTES));
      expect((await readFile(await subject.port.fetch(DIGEST))).equals(BYTES)).toBe(true);
      await subject.lose(DIGEST);
      await subject.reopen();
      expect(await failureCodeOf(subject.port.fetch(DIGEST))).toBe('artifact-missing');
    },
  },
  {
    name: 'stores a local file as it does bytes, and gives them back',
    async run({ port }) {
      const { digest } = await port.store(inPieces(BYTES));
      expect(await port.storeFile(await port.fetch(digest))).toEqual({ digest, sizeBytes: BYTES.length });
      expect(Buffer.concat(await Array.fromAsync(port.open(digest))).equals(BYTES)).toBe(true);
      const missing = Array.fromAsync(port.open('0'.repeat(64)));
      expect(await failureCodeOf(missing)).toBe('artifact-missing');
    },
  },
  {
    name: 'takes nothing but a digest for a name',
    async run({ port }) {
      for (const name of ['../region.key', '', DIGEST.toUpperCase(), `${DIGEST}/..`]) {
        expect(await port.has(name)).toBe(false);
        expect(await failureCodeOf(port.fetch(name))).toBe('artifact-missing');
      }
    },
  },
];

export function describeArtifactsContract(name: string, adapter: Adapter<Artifacts, ArtifactsSubject>): void {
  describeContract(`artifacts: ${name}`, artifactsCases, adapter);
}
