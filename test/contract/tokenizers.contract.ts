import { expect } from 'vitest';
import type { Tokenizers } from '../../core/ports/tokenizers.ts';
import { bytePairFile, bytesOf, wordPieceFile } from '../support/tokenizer-files.ts';
import { type Adapter, atOnce, type Case, describeContract, failureCodeOf, type Subject } from './contract.ts';

/** `store` puts a file where the port looks for it and returns its digest; `damage` changes a byte of it, `lose` removes it. */
export type TokenizersSubject = Subject<Tokenizers> & {
  store(bytes: Uint8Array): Promise<string>;
  damage(digest: string): Promise<void>;
  lose(digest: string): Promise<void>;
};

const NOBODYS = '0'.repeat(64);

export const tokenizersCases: readonly Case<TokenizersSubject>[] = [
  {
    name: 'gives each file its own ids, special tokens included, the same every time',
    async run({ port, store }) {
      const [pieces, pairs] = [await store(bytesOf(wordPieceFile())), await store(bytesOf(bytePairFile()))];
      for (let count = 0; count < 2; count += 1) {
        expect((await port.open(pieces)).encode('Cards, payment!')).toEqual([2, 4, 7, 1, 5, 6, 10, 3]);
        expect((await port.open(pairs)).encode('abc ab')).toEqual([6, 5]);
      }
    },
  },
  {
    name: 'opens a file once, for callers at once too',
    async run({ port, store, lose }) {
      const digest = await store(bytesOf(wordPieceFile()));
      const opened = await atOnce(5, () => port.open(digest));
      await lose(digest);
      opened.push(await port.open(digest));
      expect(new Set(opened).size).toBe(1);
    },
  },
  {
    name: 'refuses what is no tokenizer, and opens it when it is one',
    async run({ port, store }) {
      const digest = await store(bytesOf({ model: {} }));
      for (let count = 0; count < 2; count += 1) {
        expect(await failureCodeOf(port.open(digest))).toBe('tokenizer-invalid');
      }
      expect((await port.open(await store(bytesOf(wordPieceFile())))).encode('')).toEqual([2, 3]);
    },
  },
  {
    name: 'tells a missing and a damaged file from one that is no tokenizer, and finds it when it is mended',
    async run({ port, store, damage }) {
      expect(await failureCodeOf(port.open(NOBODYS))).toBe('artifact-missing');
      const digest = await store(bytesOf(wordPieceFile()));
      await damage(digest);
      expect(await failureCodeOf(port.open(digest))).toBe('artifact-damaged');
      await store(bytesOf(wordPieceFile()));
      expect((await port.open(digest)).encode('card')).toEqual([2, 4, 3]);
    },
  },
  {
    name: 'gives no text without tokens',
    async run({ port, store }) {
      const tokenizer = await port.open(await store(bytesOf(bytePairFile())));
      expect(await failureCodeOf((async () => tokenizer.encode(''))())).toBe('text-invalid');
      expect(await failureCodeOf((async () => tokenizer.encode('\u4e00'))())).toBe('text-invalid');
    },
  },
];

export function describeTokenizersContract(name: string, adapter: Adapter<Tokenizers, TokenizersSubject>): void {
  describeContract(`tokenizers: ${name}`, tokenizersCases, adapter);
}
