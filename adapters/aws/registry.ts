import { Failure } from '../../core/failure.ts';
import type { ModelRoute, ModelVersion } from '../../core/models/version.ts';
import type { Log } from '../../core/ports/log.ts';
import type { ApiKeyRecord, IssuerRecord, Page, Registry } from '../../core/ports/registry.ts';
import { apiKeySchema, issuerSchema } from '../../core/tenancy/credential-records.ts';
import { type Plan, planSchema } from '../../core/tenancy/plan.ts';
import { type Tenant, tenantSchema } from '../../core/tenancy/tenant.ts';
import { recordKey } from './keys.ts';
import { ModelItems } from './model-items.ts';
import { RecordItems } from './record-items.ts';
import type { Table } from './table.ts';

/** Keys of no tenant are listed under this name, which no tenant can have. */
const OPERATORS = '-';

/** The control records of a region in its control table. */
export class AwsRegistry implements Registry {
  readonly #table: Table;
  readonly #tenants: RecordItems<Tenant>;
  readonly #plans: RecordItems<Plan>;
  readonly #keys: RecordItems<ApiKeyRecord>;
  readonly #issuers: RecordItems<IssuerRecord>;
  readonly #models: ModelItems;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#tenants = new RecordItems('tenant', tenantSchema, { table, log });
    this.#plans = new RecordItems('plan', planSchema, { table, log });
    this.#keys = new RecordItems('key', apiKeySchema, { table, log });
    this.#issuers = new RecordItems('issuer', issuerSchema, { table, log });
    this.#models = new ModelItems(table, log);
  }

  readTenant(id: string): Promise<Tenant | undefined> {
    return this.#tenants.read(id);
  }

  writeTenant(tenant: Tenant): Promise<void> {
    return this.#tenants.putNext(tenant.id, tenant);
  }

  async removeTenant(id: string): Promise<void> {
    for (const key of await this.#keys.ids(id)) await this.#keys.remove(key, id);
    await this.#tenants.remove(id);
  }

  listTenants(limit: number, cursor?: string): Promise<Page<Tenant>> {
    return this.#tenants.page(limit, cursor);
  }

  readPlan(id: string): Promise<Plan | undefined> {
    return this.#plans.read(id);
  }

  writePlan(plan: Plan): Promise<void> {
    return this.#plans.putNext(plan.id, plan);
  }

  listPlans(): Promise<readonly Plan[]> {
    return this.#plans.all();
  }

  readKey(id: string): Promise<ApiKeyRecord | undefined> {
    return this.#keys.read(id);
  }

  async addKey(key: ApiKeyRecord): Promise<void> {
    const added = await this.#keys.add(key.id, key, key.tenant ?? OPERATORS);
    if (!added) throw new Failure('already-exists', { detail: `key ${key.id}` });
  }

  async revokeKey(id: string, atMs: number): Promise<void> {
    const key = await this.readKey(id);
    if (key === undefined) throw new Failure('key-unknown');
    if (key.revokedAtMs !== undefined) return;
    const record = JSON.stringify(apiKeySchema.parse({ ...key, revokedAtMs: atMs }));
    const revoked = await this.#table.change(recordKey('key', id), {
      text: 'SET #record = :record, epoch = :revoked',
      condition: 'epoch = :valid',
      names: { '#record': 'record' },
      values: { ':record': record, ':revoked': 2, ':valid': 1 },
    });
    if (!revoked.written && revoked.item === undefined) throw new Failure('key-unknown');
  }

  listKeys(tenant: string | undefined): Promise<readonly ApiKeyRecord[]> {
    return this.#keys.all(tenant ?? OPERATORS);
  }

  writeIssuer(issuer: IssuerRecord): Promise<void> {
    return this.#issuers.put(issuer.issuer, issuer);
  }

  removeIssuer(issuer: string): Promise<void> {
    return this.#issuers.remove(issuer);
  }

  listIssuers(): Promise<readonly IssuerRecord[]> {
    return this.#issuers.all();
  }

  addVersion(version: Omit<ModelVersion, 'version'>): Promise<{ version: string; added: boolean }> {
    return this.#models.addVersion(version);
  }

  readVersion(model: string, version: string): Promise<ModelVersion | undefined> {
    return this.#models.readVersion(model, version);
  }

  listVersions(
    model: string,
    limit: number,
    cursor?: string,
    order?: 'oldest' | 'newest',
  ): Promise<Page<ModelVersion>> {
    return this.#models.listVersions(model, limit, cursor, order);
  }

  listModels(limit: number, cursor?: string): Promise<Page<ModelRoute>> {
    return this.#models.listModels(limit, cursor);
  }

  readRoute(model: string): Promise<ModelRoute | undefined> {
    return this.#models.readRoute(model);
  }

  writeRoute(route: ModelRoute): Promise<void> {
    return this.#models.writeRoute(route);
  }
}
