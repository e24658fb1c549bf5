import type { Quarantine } from '../../core/ports/quarantine.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_QUARANTINE: readonly Fault<Quarantine>[] = [
  {
    fault: "refuses a tenant for another's input",
    caughtBy: 'knows what was added for that tenant alone, until its expiry, after a crash too',
    breaks: (quarantine) =>
      override(quarantine, { has: (_, fingerprint, nowMs) => quarantine.has('acme', fingerprint, nowMs) }),
  },
  {
    fault: 'keeps what it knows in memory alone',
    caughtBy: 'knows what was added for that tenant alone, until its expiry, after a crash too',
    breaks(quarantine) {
      const known = new Map<string, number>();
      return override(quarantine, {
        async add(tenant, fingerprint, _, expiresAtMs) {
          known.set(`${tenant}/${fingerprint}`, expiresAtMs);
        },
        isEmpty: async (tenant) => ![...known.keys()].some((key) => key.startsWith(`${tenant}/`)),
        has: async (tenant, fingerprint, nowMs) => (known.get(`${tenant}/${fingerprint}`) ?? 0) > nowMs,
      });
    },
  },
  {
    fault: 'erases everything',
    caughtBy: "erases a tenant's inputs and no other's",
    breaks: (quarantine) =>
      override(quarantine, {
        async erase(tenant) {
          for (const erased of [tenant, 'globex']) await quarantine.erase(erased);
        },
      }),
  },
];
