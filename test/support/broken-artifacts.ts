import type { Artifacts } from '../../core/ports/artifacts.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_ARTIFACTS: readonly Fault<Artifacts>[] = [
  {
    fault: 'keeps what has come of bytes that broke off',
    caughtBy: 'keeps nothing of bytes that did not all come',
    breaks: (artifacts) => override(artifacts, { store: (bytes) => artifacts.store(untilBroken(bytes)) }),
  },
  {
    fault: 'says that a file is there without looking',
    caughtBy: 'takes nothing but a digest for a name',
    breaks: (artifacts) => override(artifacts, { has: async () => true }),
  },
  {
    fault: 'gives bytes back without the last piece',
    caughtBy: 'stores a local file as it does bytes, and gives them back',
    breaks: (artifacts) => override(artifacts, { open: (digest) => withoutLast(artifacts.open(digest)) }),
  },
  {
    fault: 'loses the last piece',
    caughtBy: 'stores bytes under their digest and fetches them whole, after a crash too',
    breaks: (artifacts) => override(artifacts, { store: (bytes) => artifacts.store(withoutLast(bytes)) }),
  },
  {
    fault: 'reads without checking',
    caughtBy: 'finds a damaged or missing file out, and is mended by storing it again',
    breaks: (artifacts) =>
      override(artifacts, {
        async *open() {
          yield new Uint8Array(0);
        },
      }),
  },
];

async function* untilBroken(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch {
    // What came before is taken for everything.
  }
}

async function* withoutLast(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const chunk of bytes) {
    if (held !== undefined) yield held;
    held = chunk;
  }
}
