import { expect, test } from 'vitest';
import { VersionChooser } from '../../core/inference/choose-version.ts';
import type { Caller } from '../../core/inference/request.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import type { Signature } from '../../core/models/signature.ts';
import { publicSignature } from '../../core/models/tokenized-signature.ts';
import type { Platform } from '../../core/ports/platform.ts';

const GRAPH: Signature = {
  inputs: [
    { name: 'ids', datatype: 'INT64', shape: ['batch', 'sequence'] },
    { name: 'mask', datatype: 'INT64', shape: ['batch', 'sequence'] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 4] }],
};
const CALLER = { tenant: {}, principal: {}, limits: { models: ['*'] } } as unknown as Caller;

/** A chooser of models that each have a tokenizer of their own, of which so many stay open, the last ones opened. */
function chooserWith(mostOpen: number) {
  const open: string[] = [];
  const readVersion = async (model: string, version: string) => {
    const manifest = manifestSchema.parse({ name: model, tokenizer: { ids: 'ids', mask: 'mask' } });
    const signature = publicSignature(GRAPH, manifest.tokenizer!);
    return { model, version, signature, graphSignature: GRAPH, manifest, tokenizerDigest: model };
  };
  const chooser = new VersionChooser({
    registry: { readRoute: async (model: string) => ({ model, stable: '1', epoch: 1 }), readVersion },
    releases: { readLatest: async () => undefined },
    tokenizers: {
      async open(digest: string) {
        open.push(digest);
        open.splice(0, open.length - mostOpen);
        return { encode: () => [1] };
      },
      isOpen: (digest: string) => open.includes(digest),
    },
  } as unknown as Platform);
  return async (model: string) => (await chooser.choose(CALLER, model, undefined, 0)).validate;
}

test('a version lets its tokenizer go once that was closed to make room for others, and opens it again when it is asked', async () => {
  const choose = chooserWith(2);
  const [a, b] = [await choose('a'), await choose('b')];
  expect([await choose('a'), await choose('b')]).toEqual([a, b]);
  const c = await choose('c');
  expect(await choose('b')).toBe(b);
  expect(await choose('c')).toBe(c);
  expect(await choose('a')).not.toBe(a);
  expect(await choose('b')).not.toBe(b);
});
