import type { DeliveryLimits } from '../../core/ports/webhooks.ts';
import type { WebhookDelivery } from '../../core/webhooks/webhook.ts';

type Named = Pick<WebhookDelivery, 'tenant' | 'id' | 'endpoint'>;
type Lease = Named & { readonly untilMs: number };

/** Which deliveries are being sent, and how many of whom: in memory, as one process holds the region. */
export class DeliveryLeases {
  readonly #leases = new Map<string, Lease>();
  readonly #ofTenant = new Map<string, number>();
  readonly #ofEndpoint = new Map<string, number>();

  has(delivery: Named): boolean {
    return this.#leases.has(`${delivery.tenant}/${delivery.id}`);
  }

  ofTenant(tenant: string): number {
    return this.#ofTenant.get(tenant) ?? 0;
  }

  ofEndpoint(tenant: string, endpoint: string): number {
    return this.#ofEndpoint.get(`${tenant}/${endpoint}`) ?? 0;
  }

  /** False, and nothing is changed, if it is leased or its tenant or endpoint has as many as the limits allow. */
  take(delivery: Named, untilMs: number, limits: DeliveryLimits): boolean {
    const { tenant, id, endpoint } = delivery;
    const full = this.ofTenant(tenant) >= limits.ofTenant || this.ofEndpoint(tenant, endpoint) >= limits.ofEndpoint;
    if (full || this.has(delivery)) return false;
    this.#leases.set(`${tenant}/${id}`, { tenant, id, endpoint, untilMs });
    add(this.#ofTenant, tenant, 1);
    add(this.#ofEndpoint, `${tenant}/${endpoint}`, 1);
    return true;
  }

  end({ tenant, id }: Pick<Named, 'tenant' | 'id'>): void {
    const lease = this.#leases.get(`${tenant}/${id}`);
    if (lease === undefined) return;
    this.#leases.delete(`${tenant}/${id}`);
    add(this.#ofTenant, tenant, -1);
    add(this.#ofEndpoint, `${tenant}/${lease.endpoint}`, -1);
  }

  endExpired(nowMs: number): void {
    for (const lease of this.#leases.values()) if (lease.untilMs <= nowMs) this.end(lease);
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
