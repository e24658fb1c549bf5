import { expect } from 'vitest';
import type { Uploads } from '../../core/ports/uploads.ts';
import { HOUR_MS } from '../../core/units.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, failureCodeOf, type Subject } from './contract.ts';

/** `put` sends bytes to an upload's URL as its caller would: to this host's `receive`, or to the store that signed it. */
export type UploadsSubject = Subject<Uploads> & {
  put(url: string, bytes: AsyncIterable<Uint8Array>): Promise<unknown>;
};

type UploadsCase = Case<UploadsSubject>;

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw new Error('the sender went away');
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export const uploadsCases: readonly UploadsCase[] = [
  {
    name: 'gives its owner the bytes that were put, after a crash too, until they are discarded',
    async run(subject) {
      const { id, url, expiresAtMs } = await subject.port.create('key:1', 100);
      expect(expiresAtMs).toBe(subject.nowMs() + HOUR_MS);
      expect(await failureCodeOf(subject.port.open('key:1', id))).toBe('upload-unknown');
      await subject.put(url, pieces('one ', 'two'));
      await subject.crash();
      expect(await textOf(await subject.port.open('key:1', id))).toBe('one two');
      await subject.port.discard('key:1', id);
      expect(await failureCodeOf(subject.port.open('key:1', id))).toBe('upload-unknown');
    },
  },
  {
    name: 'belongs to its owner alone',
    async run(subject) {
      const { id, url } = await subject.port.create('key:1', 100);
      await subject.put(url, pieces('mine'));
      expect(await failureCodeOf(subject.port.open('key:2', id))).toBe('upload-unknown');
      await subject.port.discard('key:2', id);
      expect(await textOf(await subject.port.open('key:1', id))).toBe('mine');
    },
  },
  {
    name: 'takes bytes once, of callers that come together too, and only at its own URL',
    async run(subject) {
      const { id, url } = await subject.port.create('key:1', 100);
      const other = await subject.port.create('key:1', 100);
      const forged = url.replace(/token=.*/, other.url.slice(other.url.indexOf('token=')));
      expect(await failureCodeOf(subject.put(forged, pieces('forged')))).toBe('upload-unknown');
      expect(await failureCodeOf(subject.put(url.replace(id, 'upl_none'), pieces('lost')))).toBe('upload-unknown');
      const answers = await atOnce(5, (index) =>
        subject.put(url, pieces(`${index}`)).then(
          () => index,
          (error) => error.code,
        ),
      );
      const winner = answers.find((answer) => typeof answer === 'number');
      expect(countBy(answers, (answer) => typeof answer)).toEqual({ number: 1, string: 4 });
      expect(await failureCodeOf(subject.put(url, pieces('again')))).toBe('upload-unknown');
      expect(await textOf(await subject.port.open('key:1', id))).toBe(String(winner));
    },
  },
  {
    name: 'refuses more than was announced, keeps nothing that broke off, and can be put again',
    async run(subject) {
      const { id, url } = await subject.port.create('key:1', 8);
      expect(await failureCodeOf(subject.put(url, pieces('12345', '6789')))).toBe('body-too-large');
      await expect(subject.put(url, broken())).rejects.toThrow('the sender went away');
      expect(await failureCodeOf(subject.port.open('key:1', id))).toBe('upload-unknown');
      await subject.put(url, pieces('12345', '678'));
      expect(await textOf(await subject.port.open('key:1', id))).toBe('12345678');
    },
  },
  {
    name: 'is forgotten an hour after its creation, not before',
    async run(subject) {
      const { id, url } = await subject.port.create('key:1', 100);
      const unused = await subject.port.create('key:1', 100);
      await subject.put(url, pieces('mine'));
      await subject.advance(HOUR_MS - 1);
      expect(await textOf(await subject.port.open('key:1', id))).toBe('mine');
      await subject.advance(1);
      expect(await failureCodeOf(subject.port.open('key:1', id))).toBe('upload-unknown');
      expect(await failureCodeOf(subject.put(unused.url, pieces('late')))).toBe('upload-unknown');
    },
  },
];

export function describeUploadsContract(name: string, adapter: Adapter<Uploads, UploadsSubject>): void {
  describeContract(`uploads: ${name}`, uploadsCases, adapter);
}
