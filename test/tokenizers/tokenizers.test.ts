import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTokenizers, LARGEST_FILE_BYTES } from '../../adapters/tokenizers/tokenizers.ts';
import { bytesOf, wordPieceFile } from '../support/tokenizer-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tokenizers-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A tokenizer.json filled up with spaces to this size. */
async function fileOf(bytes: number): Promise<string> {
  const path = join(folder, `${bytes}.json`);
  const file = await open(path, 'w');
  await file.write(bytesOf(wordPieceFile()));
  const { size } = await file.stat();
  await file.write(Buffer.alloc(bytes - size, ' '));
  await file.close();
  return path;
}

test('a file of 32 MiB is opened, a byte more is refused', async () => {
  const tokenizers = createTokenizers({ fetch: (digest) => fileOf(Number(digest)) });
  expect((await tokenizers.open(String(LARGEST_FILE_BYTES))).encode('card')).toEqual([2, 4, 3]);
  await expect(tokenizers.open(String(LARGEST_FILE_BYTES + 1))).rejects.toMatchObject({
    code: 'tokenizer-invalid',
    facts: { detail: expect.stringContaining(String(LARGEST_FILE_BYTES)) },
  });
});

test('tokenizers are kept up to a number of bytes of their files; those used longest ago are opened again', async () => {
  const path = await fileOf(10_000);
  const fetched: string[] = [];
  const fetch = async (digest: string) => {
    fetched.push(digest);
    return path;
  };
  const tokenizers = createTokenizers({ fetch }, 39_999);
  for (const digest of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'b']) await tokenizers.open(digest);
  // Three fit: the fourth, d, takes the place of b, since a was used again.
  expect(fetched.join('')).toBe('abcdb');
  expect(['a', 'b', 'c', 'd'].filter((digest) => tokenizers.isOpen(digest))).toEqual(['a', 'b', 'c']);
});
