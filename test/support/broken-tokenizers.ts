import { Failure } from '../../core/failure.ts';
import type { Tokenizer, Tokenizers } from '../../core/ports/tokenizers.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_TOKENIZERS: readonly Fault<Tokenizers>[] = [
  {
    fault: 'leaves the closing token out',
    caughtBy: 'gives each file its own ids, special tokens included, the same every time',
    breaks: (tokenizers) => changed(tokenizers, (ids) => (ids.length > 2 ? ids.slice(0, -1) : ids)),
  },
  {
    fault: 'opens a file for every caller',
    caughtBy: 'opens a file once, for callers at once too',
    breaks: (tokenizers) => changed(tokenizers, (ids) => ids),
  },
  {
    fault: 'takes a missing file for one that is no tokenizer',
    caughtBy: 'tells a missing and a damaged file from one that is no tokenizer, and finds it when it is mended',
    breaks: (tokenizers) =>
      override(tokenizers, {
        open: (digest) =>
          tokenizers.open(digest).catch((cause: unknown) => {
            throw new Failure('tokenizer-invalid', {}, { cause });
          }),
      }),
  },
  {
    fault: 'remembers that a file could not be opened',
    caughtBy: 'tells a missing and a damaged file from one that is no tokenizer, and finds it when it is mended',
    breaks(tokenizers) {
      const opened = new Map<string, Promise<Tokenizer>>();
      return override(tokenizers, {
        open(digest) {
          const opening = opened.get(digest) ?? tokenizers.open(digest);
          opened.set(digest, opening);
          return opening;
        },
      });
    },
  },
  {
    fault: 'gives texts without tokens',
    caughtBy: 'gives no text without tokens',
    breaks: (tokenizers) =>
      override(tokenizers, {
        async open(digest) {
          const tokenizer = await tokenizers.open(digest);
          return {
            encode(text) {
              try {
                return tokenizer.encode(text);
              } catch {
                return [];
              }
            },
          };
        },
      }),
  },
];

function changed(tokenizers: Tokenizers, change: (ids: readonly number[]) => readonly number[]): Tokenizers {
  return override(tokenizers, {
    async open(digest) {
      const tokenizer = await tokenizers.open(digest);
      return { encode: (text) => change(tokenizer.encode(text)) };
    },
  });
}
