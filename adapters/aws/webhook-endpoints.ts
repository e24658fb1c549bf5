import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type { Log } from '../../core/ports/log.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type WebhookEndpoint, webhookEndpointSchema } from '../../core/webhooks/webhook.ts';
import { webhooksKey } from './keys.ts';
import { parseItem } from './parse-item.ts';
import type { Table } from './table.ts';

/** Changes at once of one tenant's endpoints; each that fails means that another one was made. */
const MOST_TRIES = 100;

const sealedSchema = z.strictObject({
  id: z.string(),
  createdAtMs: z.number(),
  sealed: z.instanceof(Uint8Array),
});
const itemSchema = z.strictObject({
  pk: z.string(),
  sk: z.string(),
  version: z.string(),
  endpoints: z.array(sealedSchema),
});
type SealedEndpoint = z.infer<typeof sealedSchema>;
type Endpoints = { readonly version: string | undefined; readonly endpoints: readonly SealedEndpoint[] };

/** A tenant's webhooks, each sealed, in one item that is replaced as a whole. */
export class WebhookEndpoints {
  readonly #table: Table;
  readonly #dataKeys: DataKeys;
  readonly #log: Log;

  constructor(table: Table, dataKeys: DataKeys, log: Log) {
    this.#table = table;
    this.#dataKeys = dataKeys;
    this.#log = log;
  }

  async ids(tenant: string): Promise<readonly string[]> {
    return (await this.#read(tenant)).endpoints.map(({ id }) => id);
  }

  async read(tenant: string, id: string): Promise<WebhookEndpoint | undefined> {
    const found = (await this.#read(tenant)).endpoints.find((endpoint) => endpoint.id === id);
    return found === undefined ? undefined : this.#open(tenant, found);
  }

  /** In order of creation; what cannot be opened is logged and left out. */
  async list(tenant: string): Promise<readonly WebhookEndpoint[]> {
    const listed: WebhookEndpoint[] = [];
    for (const endpoint of (await this.#read(tenant)).endpoints) {
      try {
        listed.push(await this.#open(tenant, endpoint));
      } catch (error) {
        this.#log.error('a webhook is left out of a list', error, { tenant, webhook: endpoint.id });
      }
    }
    return listed;
  }

  async add(endpoint: WebhookEndpoint, most: number): Promise<'added' | 'full'> {
    const sealed = await this.#seal(endpoint);
    const replaced = await this.#replace(endpoint.tenant, async (endpoints) => {
      if (endpoints.length >= most) return undefined;
      return [...endpoints, sealed].sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
    });
    return replaced ? 'added' : 'full';
  }

  async change(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint | undefined> {
    let changed: WebhookEndpoint | undefined;
    await this.#replace(tenant, async (endpoints) => {
      const found = endpoints.find((endpoint) => endpoint.id === id);
      changed = found === undefined ? undefined : change(await this.#open(tenant, found));
      if (changed === undefined) return undefined;
      const sealed = await this.#seal(changed);
      return endpoints.map((endpoint) => (endpoint.id === id ? sealed : endpoint));
    });
    return changed;
  }

  remove(tenant: string, id: string): Promise<boolean> {
    return this.#replace(tenant, async (endpoints) => {
      const left = endpoints.filter((endpoint) => endpoint.id !== id);
      return left.length < endpoints.length ? left : undefined;
    });
  }

  erase(tenant: string): Promise<void> {
    return this.#table.delete(webhooksKey(tenant));
  }

  /** False, and nothing changes, if `change` returns undefined; it is called again if another change came between. */
  async #replace(
    tenant: string,
    change: (endpoints: readonly SealedEndpoint[]) => Promise<readonly SealedEndpoint[] | undefined>,
  ): Promise<boolean> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { version, endpoints: before } = await this.#read(tenant);
      const endpoints = await change(before);
      if (endpoints === undefined) return false;
      const unchanged =
        version === undefined
          ? { text: 'attribute_not_exists(pk)' }
          : { text: '#version = :before', names: { '#version': 'version' }, values: { ':before': version } };
      const item = { ...webhooksKey(tenant), version: randomUUID(), endpoints };
      if ((await this.#table.put(item, unchanged)).written) return true;
    }
    throw new Failure('overloaded', { retryAfterMs: SECOND_MS });
  }

  async #read(tenant: string): Promise<Endpoints> {
    const item = await this.#table.get(webhooksKey(tenant));
    return item === undefined ? { version: undefined, endpoints: [] } : parseItem(itemSchema, item);
  }

  async #seal(endpoint: WebhookEndpoint): Promise<SealedEndpoint> {
    const { tenant, id, createdAtMs } = endpoint;
    const plain = Buffer.from(JSON.stringify(webhookEndpointSchema.parse(endpoint)));
    return { id, createdAtMs, sealed: new Uint8Array(await this.#dataKeys.seal(tenant, contextOf(id), plain)) };
  }

  /** Throws `record-damaged`, `data-erased`. */
  async #open(tenant: string, { id, sealed }: SealedEndpoint): Promise<WebhookEndpoint> {
    const plain = Buffer.from(await this.#dataKeys.open(tenant, contextOf(id), sealed)).toString();
    const parsed = webhookEndpointSchema.safeParse(JSON.parse(plain));
    if (parsed.success) return parsed.data;
    throw new Failure('record-damaged', { detail: `webhook ${id}` }, { cause: parsed.error });
  }
}

function contextOf(id: string): string {
  return `webhook/${id}`;
}
