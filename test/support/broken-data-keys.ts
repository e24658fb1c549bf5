import type { DataKeys } from '../../core/ports/data-keys.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_DATA_KEYS: readonly Fault<DataKeys>[] = [
  {
    fault: 'ignores the context',
    caughtBy: 'opens under no other tenant or context, and with no bit changed, cut off or added',
    breaks: (keys) =>
      override(keys, {
        seal: (tenant, _, plain) => keys.seal(tenant, '', plain),
        open: (tenant, _, sealed) => keys.open(tenant, '', sealed),
      }),
  },
  {
    fault: 'seals for all tenants under one key',
    caughtBy: 'opens under no other tenant or context, and with no bit changed, cut off or added',
    breaks: (keys) =>
      override(keys, {
        seal: (_, context, plain) => keys.seal('everyone', context, plain),
        open: (_, context, sealed) => keys.open('everyone', context, sealed),
      }),
  },
  {
    fault: 'goes on opening from a cache after the key was destroyed',
    caughtBy: 'never opens what was sealed before the key was destroyed, and seals anew',
    breaks(keys) {
      const seen = new Map<string, Uint8Array>();
      return override(keys, {
        async seal(tenant, context, plain) {
          const sealed = await keys.seal(tenant, context, plain);
          seen.set(Buffer.from(sealed).toString('hex'), plain);
          return sealed;
        },
        open: async (tenant, context, sealed) =>
          seen.get(Buffer.from(sealed).toString('hex')) ?? keys.open(tenant, context, sealed),
      });
    },
  },
  {
    fault: 'gives two tenants the same fingerprint',
    caughtBy: 'makes the same fingerprint of the same bytes for one tenant, until its key is destroyed',
    breaks: (keys) => override(keys, { fingerprint: (_, bytes) => keys.fingerprint('everyone', bytes) }),
  },
];
