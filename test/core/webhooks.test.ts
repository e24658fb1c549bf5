import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { EndedJob } from '../../core/ports/jobs.ts';
import type { SendAnswer } from '../../core/ports/webhook-sender.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { fanOut } from '../../core/webhooks/fan-out.ts';
import { nextAttempt } from '../../core/webhooks/next-attempt.ts';
import { newSecret, OLD_SECRET_MS, sign } from '../../core/webhooks/sign.ts';
import type { WebhookDelivery } from '../../core/webhooks/webhook.ts';
import { webhookDeliverySchema } from '../../core/webhooks/webhook.ts';
import { aDelivery, anEndpoint } from '../support/webhooks.ts';

const ENDED: EndedJob = {
  tenant: 'acme',
  id: `pred_${'0af1'.repeat(8)}`,
  model: 'ticket-sentiment',
  version: '3',
  failure: undefined,
  endedAtMs: Date.UTC(2026, 0, 15, 12),
};

describe('a signature', () => {
  it('is what the reference implementation of Standard Webhooks verifies, for any body and id', () => {
    fc.assert(
      fc.property(fc.json(), fc.stringMatching(/^msg_[0-9a-f]{32}$/), (body, id) => {
        const secret = newSecret();
        const headers = sign({ secret }, id, body, Date.now());
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
        expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow();
        expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
        expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'msg_other' })).toThrow();
      }),
    );
  });

  it('is the one of the specification, bit for bit', () => {
    // The example of the reference implementation's own tests.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const headers = sign({ secret }, 'msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', 1_614_265_330_999);
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is made with the old secret too until its time is over, the new one first', () => {
    const [secret, old] = [newSecret(), newSecret()];
    const untilMs = Date.now() + OLD_SECRET_MS;
    const endpoint = { secret, previousSecret: { secret: old, untilMs } };
    const both = sign(endpoint, 'msg_1', '{}', Date.now());
    for (const each of [secret, old]) expect(new Webhook(each).verify('{}', both)).toEqual({});
    expect(both['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(both['webhook-signature']?.split(' ')[0]).toBe(
      sign({ secret }, 'msg_1', '{}', Date.now())['webhook-signature'],
    );
    expect(sign(endpoint, 'msg_1', '{}', untilMs)).toEqual(sign({ secret }, 'msg_1', '{}', untilMs));
    expect(sign(endpoint, 'msg_1', '{}', untilMs - 1)['webhook-signature']).toContain(' ');
  });

  it('has a secret of 32 random bytes that nobody else has', () => {
    const secrets = Array.from({ length: 100 }, newSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });
});

describe('an end', () => {
  it('is a message to each endpoint that is enabled and wants it, and to no other', () => {
    const both = anEndpoint();
    const good = anEndpoint({ events: ['prediction.succeeded'] });
    const bad = anEndpoint({ events: ['prediction.failed'] });
    const off = [anEndpoint({ disabled: 'by-tenant' }), anEndpoint({ disabled: 'gone' })];
    const to = (ended: EndedJob) => fanOut(ended, [both, good, bad, ...off], 5).map(({ endpoint }) => endpoint);
    expect(to(ENDED)).toEqual([both.id, good.id]);
    expect(to({ ...ENDED, failure: 'prediction-cancelled' })).toEqual([both.id, bad.id]);
    expect(fanOut(ENDED, [], 5)).toEqual([]);
  });

  it('has the same id however often it is fanned out, and another for each prediction and endpoint', () => {
    const [first, second] = [anEndpoint(), anEndpoint()];
    const ids = (ended: EndedJob, nowMs: number) => fanOut(ended, [first, second], nowMs).map(({ id }) => id);
    expect(ids(ENDED, 1)).toEqual(ids(ENDED, 2));
    expect(new Set([...ids(ENDED, 1), ...ids({ ...ENDED, id: 'pred_other' }, 1)]).size).toBe(4);
    for (const id of ids(ENDED, 1)) expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
  });

  it('is told thinly: where the result is, and nothing of what went in or came out', () => {
    const [delivery] = fanOut(ENDED, [anEndpoint()], 5);
    expect(webhookDeliverySchema.parse(delivery)).toEqual(delivery);
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 0, createdAtMs: 5, dueAtMs: 5 });
    expect(JSON.parse(delivery!.body)).toEqual({
      type: 'prediction.succeeded',
      timestamp: '2026-01-15T12:00:00.000Z',
      data: {
        id: ENDED.id,
        model: 'ticket-sentiment',
        model_version: '3',
        state: 'succeeded',
        url: `/v2/predictions/${ENDED.id}`,
      },
    });
    const [failed] = fanOut({ ...ENDED, failure: 'prediction-failed' }, [anEndpoint()], 5);
    expect(JSON.parse(failed!.body)).toMatchObject({
      type: 'prediction.failed',
      data: { state: 'failed', code: 'prediction-failed' },
    });
  });
});

describe('an attempt', () => {
  const delivery = aDelivery(anEndpoint(), { id: `msg_${'80'.repeat(16)}` });
  const answered = (status: number): SendAnswer => ({ kind: 'answered', status });

  it.each([200, 201, 202, 204, 299])('that is answered with %i has delivered', (status) => {
    const { delivery: next, endpoint } = nextAttempt(delivery, answered(status), 100);
    expect(next).toMatchObject({ state: 'delivered', attempts: 1, lastResult: String(status) });
    expect(next.expiresAtMs).toBe(100 + DAY_MS);
    expect(endpoint).toBe('kept');
  });

  it('that is answered with 410 ends the delivery and the endpoint', () => {
    const { delivery: next, endpoint } = nextAttempt(delivery, answered(410), 100);
    expect(next).toMatchObject({ state: 'given-up', attempts: 1, lastResult: '410' });
    expect(endpoint).toBe('gone');
  });

  it.each([
    ...[100, 199, 300, 301, 302, 308, 400, 401, 404, 409, 411, 418, 429, 500, 503].map(answered),
    ...['unresolved', 'timed-out', 'refused-address'].map((reason): SendAnswer => ({ kind: 'failed', reason })),
  ])('that comes to %o is made again', (answer) => {
    const { delivery: next, endpoint } = nextAttempt(delivery, answer, 100);
    expect(next).toMatchObject({ state: 'waiting', attempts: 1 });
    expect(next.lastResult).toBe(answer.kind === 'answered' ? String(answer.status) : answer.reason);
    expect(next.dueAtMs).toBeGreaterThan(100);
    expect(endpoint).toBe('kept');
  });

  it('follows the schedule that is recommended, up to a fifth later, and is given up after the tenth', () => {
    const delays = [5 * SECOND_MS, 5 * MINUTE_MS, ...[0.5, 2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)];
    fc.assert(
      fc.property(fc.stringMatching(/^msg_[0-9a-f]{32}$/), (id) => {
        let now: WebhookDelivery = { ...delivery, id };
        let nowMs = 1000;
        for (const delayMs of delays) {
          now = nextAttempt(now, answered(500), nowMs).delivery;
          expect(now.state).toBe('waiting');
          expect(now.dueAtMs - nowMs).toBeGreaterThanOrEqual(delayMs);
          expect(now.dueAtMs - nowMs).toBeLessThanOrEqual(1.2 * delayMs);
          nowMs = now.dueAtMs;
        }
        now = nextAttempt(now, answered(500), nowMs).delivery;
        expect(now).toMatchObject({ state: 'given-up', attempts: 10, lastResult: '500' });
        // It is still there to be looked at.
        expect(nowMs - 1000).toBeLessThan(6 * DAY_MS);
      }),
    );
  });

  it('of many messages that failed together does not come back all at once', () => {
    const due = Array.from({ length: 200 }, (_, index) => {
      const [message] = fanOut({ ...ENDED, id: `pred_${index}` }, [anEndpoint()], 0);
      return nextAttempt(message!, answered(503), 0).delivery.dueAtMs;
    });
    expect(new Set(due).size).toBeGreaterThan(100);
    expect(Math.max(...due) - Math.min(...due)).toBeGreaterThan(800);
  });
});
