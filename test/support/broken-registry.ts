import { asFailure } from '../../core/failure.ts';
import type { Registry } from '../../core/ports/registry.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_REGISTRY: readonly Fault<Registry>[] = [
  {
    fault: 'lets a stale write win',
    caughtBy: 'takes the next epoch alone: a stale write changes nothing',
    breaks: (registry) =>
      override(registry, {
        async writeTenant(tenant) {
          const stored = await registry.readTenant(tenant.id);
          await registry.writeTenant(stored === undefined ? tenant : { ...tenant, epoch: stored.epoch + 1 });
        },
      }),
  },
  {
    fault: 'tells every concurrent writer that it won',
    caughtBy: 'lets one of concurrent writers of an epoch win, and reads what it wrote',
    breaks: (registry) =>
      override(registry, {
        writeTenant: (tenant) =>
          registry.writeTenant(tenant).catch((error) => {
            if (asFailure(error).code !== 'state-conflict') throw error;
          }),
      }),
  },
  {
    fault: 'reads from a cache that is never renewed',
    caughtBy: 'removes a tenant, which may then be created anew without its old keys',
    breaks(registry) {
      const seen = new Map<string, Awaited<ReturnType<Registry['readTenant']>>>();
      return override(registry, {
        async readTenant(id) {
          const tenant = seen.get(id) ?? (await registry.readTenant(id));
          seen.set(id, tenant);
          return tenant;
        },
      });
    },
  },
  {
    fault: 'repeats the last of a page on the next',
    caughtBy: 'lists in order of id, page by page, each once',
    breaks: (registry) =>
      override(registry, {
        async listTenants(limit, cursor) {
          const page = await registry.listTenants(limit, cursor);
          return page.next === undefined ? page : { ...page, next: page.next.slice(0, -1) };
        },
      }),
  },
  {
    fault: "lists another tenant's keys",
    caughtBy: "lists a tenant's keys and no other's, and those of no tenant",
    breaks: (registry) =>
      override(registry, {
        listKeys: async (tenant) => [...(await registry.listKeys(tenant)), ...(await registry.listKeys(undefined))],
      }),
  },
  {
    fault: 'numbers two concurrent pushes alike',
    caughtBy:
      'numbers versions in order of pushing: concurrent pushes get different numbers, the same push its own again',
    breaks: (registry) =>
      override(registry, {
        async addVersion(pushed) {
          const { items } = await registry.listVersions(pushed.model, 100);
          const added = await registry.addVersion(pushed);
          return added.added ? { ...added, version: String(items.length + 1) } : added;
        },
      }),
  },
  {
    fault: 'turns each page over where the newest are asked for, and not the list',
    caughtBy:
      'numbers versions in order of pushing: concurrent pushes get different numbers, the same push its own again',
    breaks: (registry) =>
      override(registry, {
        async listVersions(model, limit, cursor, order) {
          const page = await registry.listVersions(model, limit, cursor);
          return order === 'newest' ? { ...page, items: page.items.toReversed() } : page;
        },
      }),
  },
];
