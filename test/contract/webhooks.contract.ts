import { expect } from 'vitest';
import type { DeliveryLimits, Webhooks } from '../../core/ports/webhooks.ts';
import { MINUTE_MS } from '../../core/units.ts';
import {
  REGION_OWNER,
  RELEASE_EVENT,
  type WebhookDelivery,
  type WebhookEndpoint,
} from '../../core/webhooks/webhook.ts';
import { aDelivery, anEndpoint } from '../support/webhooks.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, type Subject, takeAll } from './contract.ts';

type WebhooksCase = Case<Subject<Webhooks>>;

const MANY: DeliveryLimits = { taken: 100, ofTenant: 100, ofEndpoint: 100 };

async function added(subject: Subject<Webhooks>, changes: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const endpoint = anEndpoint(changes);
  expect(await subject.port.addEndpoint(endpoint, 10)).toBe('added');
  return endpoint;
}

/** `count` deliveries of an endpoint, due now and in this order. */
async function given(
  subject: Subject<Webhooks>,
  endpoint: WebhookEndpoint,
  count: number,
  changes: Partial<WebhookDelivery> = {},
): Promise<WebhookDelivery[]> {
  const nowMs = subject.nowMs();
  const deliveries = Array.from({ length: count }, (_, index) =>
    aDelivery(endpoint, { dueAtMs: nowMs - count + index, ...changes }),
  );
  await subject.port.addDeliveries(deliveries);
  return deliveries;
}

function take(subject: Subject<Webhooks>, limits: Partial<DeliveryLimits> = {}): Promise<readonly WebhookDelivery[]> {
  const nowMs = subject.nowMs();
  return subject.port.takeDue(nowMs, nowMs + MINUTE_MS, { ...MANY, ...limits });
}

function idsOf(items: readonly { readonly id: string }[]): string[] {
  return items.map(({ id }) => id).sort();
}

const endpointCases: readonly WebhooksCase[] = [
  {
    name: 'keeps endpoints as they were added, of each tenant its own, after a crash too',
    async run(subject) {
      expect(await subject.port.isEmpty('acme')).toBe(true);
      const secret = { secret: 'whsec_b2xk', untilMs: 5.5 };
      const [first, second] = [
        await added(subject),
        await added(subject, { previousSecret: secret, disabled: 'gone' }),
      ];
      const theirs = await added(subject, { id: first.id, tenant: 'globex', url: 'https://globex.example.com/' });
      const check = async () => {
        const { port } = subject;
        expect(await port.listEndpoints('acme')).toEqual([first, second]);
        expect(await port.readEndpoint('acme', second.id)).toEqual(second);
        expect(await port.readEndpoint('globex', first.id)).toEqual(theirs);
        expect(await port.readEndpoint('globex', second.id)).toBeUndefined();
        expect([await port.isEmpty('acme'), await port.isEmpty('globex'), await port.isEmpty('hooli')]).toEqual([
          false,
          false,
          true,
        ]);
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'lets no more endpoints in than it is told to, however many come at once',
    async run(subject) {
      await added(subject, { tenant: 'globex' });
      const answers = await atOnce(10, () => subject.port.addEndpoint(anEndpoint(), 4));
      expect(countBy(answers, String)).toEqual({ added: 4, full: 6 });
      expect(await subject.port.listEndpoints('acme')).toHaveLength(4);
      expect(await subject.port.addEndpoint(anEndpoint(), 5)).toBe('added');
    },
  },
  {
    name: 'loses none of the changes that are made at once, and changes nothing that is gone',
    async run(subject) {
      const endpoint = await added(subject);
      await atOnce(10, () =>
        subject.port.changeEndpoint('acme', endpoint.id, (now) => ({ ...now, createdAtMs: now.createdAtMs + 1 })),
      );
      await subject.crash();
      const changed = { ...endpoint, createdAtMs: endpoint.createdAtMs + 10 };
      expect(await subject.port.readEndpoint('acme', endpoint.id)).toEqual(changed);
      expect(await subject.port.changeEndpoint('globex', endpoint.id, (now) => now)).toBeUndefined();
      expect(await subject.port.removeEndpoint('acme', endpoint.id)).toBe(true);
      expect(await subject.port.changeEndpoint('acme', endpoint.id, (now) => now)).toBeUndefined();
      expect(await subject.port.readEndpoint('acme', endpoint.id)).toBeUndefined();
      expect(await subject.port.isEmpty('acme')).toBe(true);
    },
  },
  {
    name: 'removes an endpoint with its deliveries, and takes no more for it',
    async run(subject) {
      const [gone, kept] = [await added(subject), await added(subject)];
      const [old] = await given(subject, gone, 1);
      const [other] = await given(subject, kept, 1);
      expect(await subject.port.removeEndpoint('globex', gone.id)).toBe(false);
      expect(await subject.port.removeEndpoint('acme', gone.id)).toBe(true);
      expect(await subject.port.removeEndpoint('acme', gone.id)).toBe(false);
      await subject.port.settleDelivery(old!);
      await given(subject, gone, 1);
      await subject.crash();
      expect(await subject.port.listDeliveries('acme', gone.id, 10)).toEqual([]);
      expect(idsOf(await take(subject))).toEqual([other!.id]);
    },
  },
  {
    name: "erases a tenant's endpoints and deliveries and no other's",
    async run(subject) {
      const [mine, theirs] = [await added(subject), await added(subject, { tenant: 'globex' })];
      const [delivery] = await given(subject, mine, 1);
      const [other] = await given(subject, theirs, 1);
      await subject.port.erase('acme');
      await subject.port.settleDelivery(delivery!);
      await subject.crash();
      expect(await subject.port.listEndpoints('acme')).toEqual([]);
      expect(await subject.port.isEmpty('acme')).toBe(true);
      expect(await subject.port.readDelivery('acme', delivery!.id)).toBeUndefined();
      expect(await subject.port.listEndpoints('globex')).toEqual([theirs]);
      expect(idsOf(await take(subject))).toEqual([other!.id]);
    },
  },
  {
    name: "keeps the region's own endpoints and deliveries apart from every tenant's, and when these are erased",
    async run(subject) {
      const own = await added(subject, { tenant: REGION_OWNER, events: [RELEASE_EVENT] });
      await added(subject);
      const [delivery] = await given(subject, own, 1, { event: RELEASE_EVENT, prediction: `rel_${'1'.repeat(32)}` });
      await subject.port.erase('acme');
      await subject.crash();
      expect(await subject.port.listEndpoints(REGION_OWNER)).toEqual([own]);
      expect(await subject.port.readEndpoint('acme', own.id)).toBeUndefined();
      expect(idsOf(await take(subject))).toEqual([delivery!.id]);
    },
  },
];

const deliveryCases: readonly WebhooksCase[] = [
  {
    name: 'adds a delivery once: what is there already stays as it is',
    async run(subject) {
      const endpoint = await added(subject);
      const [delivery] = await given(subject, endpoint, 1);
      const settled: WebhookDelivery = { ...delivery!, state: 'delivered', attempts: 1, lastResult: '204' };
      await subject.port.settleDelivery(settled);
      await subject.port.addDeliveries([delivery!]);
      await subject.crash();
      expect(await subject.port.readDelivery('acme', delivery!.id)).toEqual(settled);
      expect(await subject.port.readDelivery('globex', delivery!.id)).toBeUndefined();
      expect(await take(subject)).toEqual([]);
    },
  },
  {
    name: 'gives each due delivery to one of concurrent callers, and again when the lease is over',
    async run(subject) {
      const endpoint = await added(subject);
      const due = await given(subject, endpoint, 20);
      await given(subject, endpoint, 1, { dueAtMs: subject.nowMs() + 2 * MINUTE_MS });
      const taken = await takeAll(8, () => take(subject, { taken: 8 }));
      expect(idsOf(taken)).toEqual(idsOf(due));
      for (const delivery of due.slice(0, 15)) {
        await subject.port.settleDelivery({ ...delivery, state: 'delivered', attempts: 1 });
      }
      await subject.advance(MINUTE_MS - 1);
      expect(await take(subject)).toEqual([]);
      await subject.advance(1);
      expect(idsOf(await take(subject))).toEqual(idsOf(due.slice(15)));
      await subject.crash();
      await subject.advance(MINUTE_MS);
      expect(await take(subject)).toHaveLength(6);
    },
  },
  {
    name: 'gives a delivery back at the time that it was settled for, not before, with all that was written of it',
    async run(subject) {
      const endpoint = await added(subject);
      await given(subject, endpoint, 1);
      const [taken] = await take(subject);
      const dueAtMs = subject.nowMs() + 10 * MINUTE_MS;
      const again: WebhookDelivery = { ...taken!, attempts: 3, lastResult: 'timed-out', dueAtMs };
      await subject.port.settleDelivery(again);
      await subject.crash();
      await subject.advance(10 * MINUTE_MS - 1);
      expect(await take(subject)).toEqual([]);
      await subject.advance(1);
      expect(await take(subject)).toEqual([again]);
      // Settled for now it is due at once, though it was leased.
      await subject.port.settleDelivery({ ...again, dueAtMs: subject.nowMs() });
      expect(idsOf(await take(subject))).toEqual([again.id]);
    },
  },
  {
    name: 'leases no more of an endpoint or a tenant than it may, longest due first',
    async run(subject) {
      const [first, second] = [await added(subject), await added(subject)];
      const due = await given(subject, first, 10);
      await given(subject, second, 10);
      const limits = { ofTenant: 5, ofEndpoint: 3 };
      const taken = await take(subject, limits);
      const ofFirst = taken.filter(({ endpoint }) => endpoint === first.id);
      expect(taken).toHaveLength(5);
      expect(ofFirst.map(({ id }) => id)).toEqual(due.slice(0, ofFirst.length).map(({ id }) => id));
      expect(Math.max(ofFirst.length, 5 - ofFirst.length)).toBe(3);
      expect((await atOnce(5, () => take(subject, limits))).flat()).toEqual([]);
      await subject.port.settleDelivery({ ...ofFirst[0]!, state: 'delivered' });
      const next = await take(subject, limits);
      expect(next).toHaveLength(1);
    },
  },
  {
    name: "lets nobody wait behind another's backlog",
    async run(subject) {
      const backlogs = [];
      for (const tenant of ['a', 'b', 'c']) {
        const endpoint = await added(subject, { tenant: `busy-${tenant}` });
        backlogs.push(await given(subject, endpoint, 50));
      }
      expect(await take(subject, { taken: 30 })).toHaveLength(30);
      await given(subject, await added(subject, { tenant: 'quiet' }), 2);
      for (let i = 0; i < 2; i += 1) expect(await take(subject, { taken: 1 })).toMatchObject([{ tenant: 'quiet' }]);
    },
  },
  {
    name: 'lists the deliveries of an endpoint, newest first and no more than asked for',
    async run(subject) {
      const endpoint = await added(subject);
      const other = await added(subject);
      const deliveries = await given(subject, endpoint, 5);
      await given(subject, other, 1);
      const newest = [...deliveries].reverse();
      expect(await subject.port.listDeliveries('acme', endpoint.id, 100)).toEqual(newest);
      expect(await subject.port.listDeliveries('acme', endpoint.id, 2)).toEqual(newest.slice(0, 2));
      expect(await subject.port.listDeliveries('globex', endpoint.id, 100)).toEqual([]);
    },
  },
  {
    name: 'purges what has expired, and that alone',
    async run(subject) {
      const endpoint = await added(subject);
      const expiresAtMs = subject.nowMs() + MINUTE_MS;
      const [old] = await given(subject, endpoint, 1, { expiresAtMs });
      const [kept] = await given(subject, endpoint, 1, { expiresAtMs: expiresAtMs + 1 });
      expect(await subject.port.purge(expiresAtMs - 1)).toBe(0);
      expect(await subject.port.purge(expiresAtMs)).toBe(1);
      await subject.crash();
      expect(await subject.port.readDelivery('acme', old!.id)).toBeUndefined();
      expect(await subject.port.listDeliveries('acme', endpoint.id, 10)).toEqual([kept]);
      expect(await subject.port.purge(expiresAtMs)).toBe(0);
    },
  },
];

export const webhooksCases: readonly WebhooksCase[] = [...endpointCases, ...deliveryCases];

export function describeWebhooksContract(name: string, adapter: Adapter<Webhooks>): void {
  describeContract(`webhooks: ${name}`, webhooksCases, adapter);
}
