import type { Platform } from '../ports/platform.ts';
import { MINUTE_MS, SECOND_MS } from '../units.ts';
import { nextAttempt } from './next-attempt.ts';
import { sign } from './sign.ts';
import { REGION_OWNER, type WebhookDelivery, type WebhookEndpoint } from './webhook.ts';

/** Attempts under way at once. A post that hangs holds a socket (50 KB, about) for 10 s: 13 MB at the worst. */
const IN_FLIGHT = 256;
/** Of one tenant: 32 tenants whose every address hangs would have to come together to delay the others. */
const IN_FLIGHT_OF_TENANT = 8;
const IN_FLIGHT_OF_ENDPOINT = 4;
/** A post ends within 10 s; the rest is for a commit on a slow disk. */
const LEASE_MS = 30 * SECOND_MS;
/** A suspended tenant gets nothing; what waits is looked at again this much later. */
const SUSPENDED_MS = 5 * MINUTE_MS;

export type DeliveryPorts = Pick<Platform, 'webhooks' | 'webhookSender' | 'registry' | 'clock' | 'log'>;

/** Sends what is due, so many at a time that one slow address or tenant delays nobody else. */
export class DeliveryRunner {
  readonly #ports: DeliveryPorts;
  readonly #stopped = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  /** True while attempts are under way. */
  get isBusy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** Starts the attempts that there is room for and returns how many; each ends by itself. */
  async startDue(): Promise<number> {
    const nowMs = this.#ports.clock.nowMs();
    const taken = IN_FLIGHT - this.#inFlight.size;
    if (taken === 0 || this.#stopped.signal.aborted) return 0;
    const limits = { taken, ofTenant: IN_FLIGHT_OF_TENANT, ofEndpoint: IN_FLIGHT_OF_ENDPOINT };
    const due = await this.#ports.webhooks.takeDue(nowMs, nowMs + LEASE_MS, limits);
    for (const delivery of due) this.#start(delivery);
    return due.length;
  }

  /** Resolves when one of the attempts under way has ended; never if there is none. */
  oneEnded(): Promise<void> {
    return Promise.race(this.#inFlight);
  }

  /** Gives attempts under way `graceMs`, then breaks them off: they come again. */
  async stop(graceMs: number): Promise<void> {
    const all = Promise.all(this.#inFlight);
    await Promise.race([all, this.#ports.clock.sleep(graceMs, this.#stopped.signal)]);
    this.#stopped.abort();
    await all;
  }

  #start(delivery: WebhookDelivery): void {
    const attempt = this.#attempt(delivery)
      .catch((error: unknown) => {
        const { tenant, id, endpoint } = delivery;
        this.#ports.log.error('a webhook delivery broke', error, { tenant, webhook: endpoint, delivery: id });
      })
      .finally(() => this.#inFlight.delete(attempt));
    this.#inFlight.add(attempt);
  }

  async #attempt(delivery: WebhookDelivery): Promise<void> {
    const { registry, webhooks, clock } = this.#ports;
    const { tenant } = delivery;
    const endpoint = await webhooks.readEndpoint(tenant, delivery.endpoint);
    if (endpoint === undefined) return;
    if (tenant !== REGION_OWNER && (await registry.readTenant(tenant))?.suspended !== false) {
      await webhooks.settleDelivery({ ...delivery, dueAtMs: clock.nowMs() + SUSPENDED_MS });
    } else if (endpoint.disabled === 'no') {
      await this.#post(delivery, endpoint);
    } else {
      await webhooks.settleDelivery({ ...delivery, state: 'given-up', lastResult: 'endpoint-disabled' });
    }
  }

  async #post(delivery: WebhookDelivery, endpoint: WebhookEndpoint): Promise<void> {
    const { webhooks, webhookSender, clock, log } = this.#ports;
    const { tenant, id, body } = delivery;
    const startMs = clock.nowMs();
    const { signal } = this.#stopped;
    const answer = await webhookSender.post(endpoint.url, sign(endpoint, id, body, startMs), body, signal);
    // Broken off here, not failed there: it is due again when the lease or the process has ended.
    if (signal.aborted && answer.kind === 'failed') return;
    const next = nextAttempt(delivery, answer, clock.nowMs());
    await webhooks.settleDelivery(next.delivery);
    if (next.endpoint === 'gone') await disableGone(webhooks, endpoint);
    const { state, attempts, lastResult } = next.delivery;
    const durationMs = Math.round(clock.nowMs() - startMs);
    const fields = { tenant, webhook: endpoint.id, delivery: id, attempts, result: lastResult, state, durationMs };
    if (state === 'given-up') log.warn('webhook delivery given up', fields);
    else log.debug('webhook delivery', fields);
  }
}

/** Unless it has got another address since. */
async function disableGone(webhooks: Platform['webhooks'], posted: WebhookEndpoint): Promise<void> {
  await webhooks.changeEndpoint(posted.tenant, posted.id, (endpoint) =>
    endpoint.url === posted.url && endpoint.disabled === 'no' ? { ...endpoint, disabled: 'gone' } : endpoint,
  );
}
