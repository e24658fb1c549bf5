import type { WebhookDelivery, WebhookEndpoint } from '../webhooks/webhook.ts';

/** How many deliveries are handed out at once. */
export type DeliveryLimits = {
  /** By this call. */
  readonly taken: number;
  /** Of one tenant, with those that are leased already. */
  readonly ofTenant: number;
  /** Of one endpoint, with those that are leased already. */
  readonly ofEndpoint: number;
};

/**
 * Where tenants want to be told, and what is still to be told. Every write is durable when its promise resolves. Addresses
 * and secrets are sealed at rest under the tenant's data key. Another tenant's id is as if it did not exist.
 */
export interface Webhooks {
  /** True if the tenant has no endpoint: cheap, as it is asked for every accepted prediction, and without a promise where the host knows. */
  isEmpty(tenant: string): boolean | Promise<boolean>;
  /** `full`: the tenant has `most` already; of concurrent callers no more than that get in. */
  addEndpoint(endpoint: WebhookEndpoint, most: number): Promise<'added' | 'full'>;
  readEndpoint(tenant: string, id: string): Promise<WebhookEndpoint | undefined>;
  /**
   * Replaces an endpoint by what `change` makes of it, in one step: no other change is lost. `change` may be called more than
   * once. Returns what is there now, or undefined if there is none.
   */
  changeEndpoint(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint | undefined>;
  /** Its deliveries go with it. False if there is none. */
  removeEndpoint(tenant: string, id: string): Promise<boolean>;
  /** In order of creation. */
  listEndpoints(tenant: string): Promise<readonly WebhookEndpoint[]>;

  /** Adds deliveries; one that is there already stays as it is, one whose endpoint is gone is left out. */
  addDeliveries(deliveries: readonly WebhookDelivery[]): Promise<void>;
  /**
   * Deliveries that are due, leased to the caller until `leaseUntilMs`: of concurrent callers one gets each. A delivery whose
   * lease has ended without `settleDelivery` is due again. Tenants with the fewest leases come first, and of an endpoint what
   * has been due longest, so that nobody waits behind another's backlog.
   */
  takeDue(nowMs: number, leaseUntilMs: number, limits: DeliveryLimits): Promise<readonly WebhookDelivery[]>;
  /** Replaces a delivery and ends its lease: delivered, given up, or due at another time. Nothing if it is gone. */
  settleDelivery(delivery: WebhookDelivery): Promise<void>;
  readDelivery(tenant: string, id: string): Promise<WebhookDelivery | undefined>;
  /** Of one endpoint, the newest first. */
  listDeliveries(tenant: string, endpoint: string, limit: number): Promise<readonly WebhookDelivery[]>;
  erase(tenant: string): Promise<void>;
  /** Forgets deliveries past `expiresAtMs`. Returns how many. */
  purge(nowMs: number): Promise<number>;
}
