import type { Webhooks } from '../../core/ports/webhooks.ts';
import type { WebhookEndpoint } from '../../core/webhooks/webhook.ts';
import { type Fault, override } from './fault.ts';

const LEASES = 'gives each due delivery to one of concurrent callers, and again when the lease is over';

export const BROKEN_WEBHOOKS: readonly Fault<Webhooks>[] = [
  {
    fault: 'keeps endpoints in memory alone',
    caughtBy: 'keeps endpoints as they were added, of each tenant its own, after a crash too',
    breaks(webhooks) {
      const known: WebhookEndpoint[] = [];
      return override(webhooks, {
        async addEndpoint(endpoint) {
          known.push(endpoint);
          return 'added';
        },
        isEmpty: (tenant) => !known.some((each) => each.tenant === tenant),
        listEndpoints: async (tenant) => known.filter((each) => each.tenant === tenant),
        readEndpoint: async (tenant, id) => known.find((each) => each.tenant === tenant && each.id === id),
      });
    },
  },
  {
    fault: "shows a tenant another's endpoint",
    caughtBy: 'keeps endpoints as they were added, of each tenant its own, after a crash too',
    breaks: (webhooks) =>
      override(webhooks, {
        readEndpoint: async (tenant, id) =>
          (await webhooks.readEndpoint(tenant, id)) ?? (await webhooks.readEndpoint('acme', id)),
      }),
  },
  {
    fault: 'counts before it adds',
    caughtBy: 'lets no more endpoints in than it is told to, however many come at once',
    breaks: (webhooks) =>
      override(webhooks, {
        async addEndpoint(endpoint, most) {
          if ((await webhooks.listEndpoints(endpoint.tenant)).length >= most) return 'full';
          return webhooks.addEndpoint(endpoint, Number.MAX_SAFE_INTEGER);
        },
      }),
  },
  {
    fault: 'reads an endpoint, and writes it later',
    caughtBy: 'loses none of the changes that are made at once, and changes nothing that is gone',
    breaks: (webhooks) =>
      override(webhooks, {
        async changeEndpoint(tenant, id, change) {
          const read = await webhooks.readEndpoint(tenant, id);
          return read === undefined ? undefined : webhooks.changeEndpoint(tenant, id, () => change(read));
        },
      }),
  },
  {
    fault: 'leaves the deliveries of an endpoint that is removed',
    caughtBy: 'removes an endpoint with its deliveries, and takes no more for it',
    breaks(webhooks) {
      const removed = new Set<string>();
      return override(webhooks, {
        async removeEndpoint(tenant, id) {
          if (tenant !== 'acme' || removed.has(id)) return false;
          removed.add(id);
          return true;
        },
      });
    },
  },
  {
    fault: 'erases everything',
    caughtBy: "erases a tenant's endpoints and deliveries and no other's",
    breaks: (webhooks) =>
      override(webhooks, {
        async erase(tenant) {
          for (const erased of [tenant, 'globex']) await webhooks.erase(erased);
        },
      }),
  },
  {
    fault: 'starts a delivery anew that is added again',
    caughtBy: 'adds a delivery once: what is there already stays as it is',
    breaks: (webhooks) =>
      override(webhooks, {
        async addDeliveries(deliveries) {
          await webhooks.addDeliveries(deliveries);
          for (const delivery of deliveries) await webhooks.settleDelivery(delivery);
        },
      }),
  },
  {
    fault: 'leases nothing',
    caughtBy: LEASES,
    breaks: (webhooks) => override(webhooks, { takeDue: (nowMs, _, limits) => webhooks.takeDue(nowMs, nowMs, limits) }),
  },
  {
    fault: 'leases for ever',
    caughtBy: LEASES,
    breaks: (webhooks) =>
      override(webhooks, {
        takeDue: (nowMs, _, limits) => webhooks.takeDue(nowMs, Number.MAX_SAFE_INTEGER, limits),
      }),
  },
  {
    fault: 'gives deliveries out too early',
    caughtBy: 'gives a delivery back at the time that it was settled for, not before, with all that was written of it',
    breaks: (webhooks) =>
      override(webhooks, {
        takeDue: (nowMs, leaseUntilMs, limits) => webhooks.takeDue(nowMs + 1000, leaseUntilMs, limits),
      }),
  },
  {
    fault: 'counts an endpoint alone, not its tenant',
    caughtBy: 'leases no more of an endpoint or a tenant than it may, longest due first',
    breaks: (webhooks) =>
      override(webhooks, {
        takeDue: (nowMs, untilMs, limits) => webhooks.takeDue(nowMs, untilMs, { ...limits, ofTenant: 100 }),
      }),
  },
  {
    fault: 'serves who was there first',
    caughtBy: "lets nobody wait behind another's backlog",
    breaks: (webhooks) =>
      override(webhooks, {
        async takeDue(nowMs, untilMs, limits) {
          const all = [...(await webhooks.takeDue(nowMs, untilMs, { taken: 1000, ofTenant: 1000, ofEndpoint: 1000 }))];
          all.sort((a, b) => a.createdAtMs - b.createdAtMs);
          for (const back of all.slice(limits.taken)) await webhooks.settleDelivery(back);
          return all.slice(0, limits.taken);
        },
      }),
  },
  {
    fault: 'lists the oldest first',
    caughtBy: 'lists the deliveries of an endpoint, newest first and no more than asked for',
    breaks: (webhooks) =>
      override(webhooks, {
        listDeliveries: async (tenant, endpoint, limit) =>
          [...(await webhooks.listDeliveries(tenant, endpoint, limit))].reverse(),
      }),
  },
  {
    fault: 'purges a millisecond too early',
    caughtBy: 'purges what has expired, and that alone',
    breaks: (webhooks) => override(webhooks, { purge: (nowMs) => webhooks.purge(nowMs + 1) }),
  },
];
