import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../core/failure.ts';
import type { ModelRoute, ModelVersion } from '../../core/models/version.ts';
import type { Log } from '../../core/ports/log.ts';
import type { ApiKeyRecord, IssuerRecord, Page, Registry } from '../../core/ports/registry.ts';
import { apiKeySchema, issuerSchema } from '../../core/tenancy/credential-records.ts';
import { type Plan, planSchema } from '../../core/tenancy/plan.ts';
import { type Tenant, tenantSchema } from '../../core/tenancy/tenant.ts';
import type { Commits } from './group-commit.ts';
import { ModelRecords } from './model-records.ts';
import { RecordTable } from './record-table.ts';

/** Plans and issuers are few; a list of them is whole. */
const ALL = 100_000;

/** The control records of a region in its database. */
export class LocalRegistry implements Registry {
  readonly #commits: Commits;
  readonly #tenants: RecordTable<Tenant>;
  readonly #plans: RecordTable<Plan>;
  readonly #keys: RecordTable<ApiKeyRecord>;
  readonly #issuers: RecordTable<IssuerRecord>;
  readonly #models: ModelRecords;

  constructor(parts: { database: DatabaseSync; commits: Commits; log: Log }) {
    this.#commits = parts.commits;
    this.#tenants = new RecordTable('tenant', tenantSchema, parts);
    this.#plans = new RecordTable('plan', planSchema, parts);
    this.#keys = new RecordTable('api_key', apiKeySchema, parts);
    this.#issuers = new RecordTable('issuer', issuerSchema, parts);
    this.#models = new ModelRecords(parts);
  }

  readTenant(id: string): Promise<Tenant | undefined> {
    return this.#tenants.read(id);
  }

  writeTenant(tenant: Tenant): Promise<void> {
    return this.#writeNext(this.#tenants, tenant, 'tenant');
  }

  /** Its keys go with it: a later tenant of this name must not inherit them. */
  async removeTenant(id: string): Promise<void> {
    await this.#commits.write(() => {
      this.#tenants.removeNow(id);
      this.#keys.removeScopeNow(id);
    });
  }

  listTenants(limit: number, cursor?: string): Promise<Page<Tenant>> {
    return this.#tenants.page(limit, cursor);
  }

  readPlan(id: string): Promise<Plan | undefined> {
    return this.#plans.read(id);
  }

  writePlan(plan: Plan): Promise<void> {
    return this.#writeNext(this.#plans, plan, 'plan');
  }

  async listPlans(): Promise<readonly Plan[]> {
    return (await this.#plans.page(ALL)).items;
  }

  readKey(id: string): Promise<ApiKeyRecord | undefined> {
    return this.#keys.read(id);
  }

  async addKey(key: ApiKeyRecord): Promise<void> {
    await this.#commits.write(() => {
      if (this.#keys.epochNow(key.id) !== undefined) throw new Failure('already-exists', { detail: `key ${key.id}` });
      this.#keys.putNow(key.id, key, 1, key.tenant);
    });
  }

  async revokeKey(id: string, atMs: number): Promise<void> {
    await this.#commits.write(() => {
      const key = this.#keys.readNow(id);
      if (key === undefined) throw new Failure('key-unknown');
      if (key.revokedAtMs === undefined) this.#keys.putNow(id, { ...key, revokedAtMs: atMs }, 2, key.tenant);
    });
  }

  listKeys(tenant: string | undefined): Promise<readonly ApiKeyRecord[]> {
    return this.#keys.ofScope(tenant);
  }

  async writeIssuer(issuer: IssuerRecord): Promise<void> {
    await this.#commits.write(() => this.#issuers.putNow(issuer.issuer, issuer, 1));
  }

  async removeIssuer(issuer: string): Promise<void> {
    await this.#commits.write(() => this.#issuers.removeNow(issuer));
  }

  async listIssuers(): Promise<readonly IssuerRecord[]> {
    return (await this.#issuers.page(ALL)).items;
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

  async #writeNext<T extends { id: string; epoch: number }>(
    table: RecordTable<T>,
    record: T,
    kind: string,
  ): Promise<void> {
    const detail = `${kind} ${record.id}`;
    await this.#commits.write(() => {
      const stored = table.epochNow(record.id);
      if (record.epoch === 1 && stored !== undefined) throw new Failure('already-exists', { detail });
      if ((stored ?? 0) !== record.epoch - 1) throw new Failure('state-conflict', { detail });
      table.putNow(record.id, record, record.epoch);
    });
  }
}
