import type { Uploads } from '../../core/ports/uploads.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_UPLOADS: readonly Fault<Uploads>[] = [
  {
    fault: 'opens for whoever knows the id',
    caughtBy: 'belongs to its owner alone',
    breaks: (uploads) => override(uploads, { open: (_, id) => uploads.open('key:1', id) }),
  },
  {
    fault: 'takes any token',
    caughtBy: 'takes bytes once, of callers that come together too, and only at its own URL',
    breaks(uploads) {
      const tokens = new Map<string, string>();
      return override(uploads, {
        async create(owner, maxBytes) {
          const created = await uploads.create(owner, maxBytes);
          tokens.set(created.id, created.url.slice(created.url.indexOf('token=') + 'token='.length));
          return created;
        },
        receive: (id, token, bytes) => uploads.receive(id, tokens.get(id) ?? token, bytes),
      });
    },
  },
  {
    fault: 'takes a byte more than was announced',
    caughtBy: 'refuses more than was announced, keeps nothing that broke off, and can be put again',
    breaks: (uploads) => override(uploads, { create: (owner, maxBytes) => uploads.create(owner, maxBytes + 1) }),
  },
  {
    fault: 'goes on giving out what it has given out once',
    caughtBy: 'is forgotten an hour after its creation, not before',
    breaks(uploads) {
      const opened = new Map<string, Uint8Array[]>();
      return override(uploads, {
        async open(owner, id) {
          const chunks = opened.get(id) ?? (await Array.fromAsync(await uploads.open(owner, id)));
          opened.set(id, chunks);
          return (async function* () {
            yield* chunks;
          })();
        },
      });
    },
  },
];
