import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { Plan } from '../tenancy/plan.ts';
import type { Role } from '../tenancy/principal.ts';
import type { Tenant } from '../tenancy/tenant.ts';

/** What is kept of an API key: never the secret, only its SHA-256 in hex. */
export type ApiKeyRecord = {
  readonly id: string;
  readonly secretSha256: string;
  readonly tenant: string | undefined;
  readonly role: Role;
  readonly models: readonly string[] | undefined;
  readonly label: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
};

/** A trusted OIDC issuer and the tenants that its tokens may name ('*' is every tenant of the region). */
export type IssuerRecord = {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  readonly tenants: readonly string[];
  /** The strongest role that its tokens may claim. */
  readonly maxRole: Role;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | undefined };

/**
 * The control records of one region. Reads are strong. Every write is durable when its promise resolves.
 * Writes with an epoch are conditional: the stored epoch must be `record.epoch - 1` (0 = must not exist yet),
 * else `state-conflict` (or `already-exists` when it was to be created). A record that cannot be read throws
 * `record-damaged` and affects no other. Lists are in order of id; `cursor` is a former page's `next`.
 */
export interface Registry {
  readTenant(id: string): Promise<Tenant | undefined>;
  writeTenant(tenant: Tenant): Promise<void>;
  /** Its keys go with it: a later tenant of this name must not inherit them. */
  removeTenant(id: string): Promise<void>;
  listTenants(limit: number, cursor?: string): Promise<Page<Tenant>>;

  readPlan(id: string): Promise<Plan | undefined>;
  writePlan(plan: Plan): Promise<void>;
  listPlans(): Promise<readonly Plan[]>;

  readKey(id: string): Promise<ApiKeyRecord | undefined>;
  /** Adds a key; `already-exists` if the id is taken. */
  addKey(key: ApiKeyRecord): Promise<void>;
  /** Idempotent: the first revocation time stays. `key-unknown` if there is none. */
  revokeKey(id: string, atMs: number): Promise<void>;
  listKeys(tenant: string | undefined): Promise<readonly ApiKeyRecord[]>;

  writeIssuer(issuer: IssuerRecord): Promise<void>;
  removeIssuer(issuer: string): Promise<void>;
  listIssuers(): Promise<readonly IssuerRecord[]>;

  /**
   * Adds the next version of a model and returns its number, or the number of the version that has this digest
   * already. Two concurrent pushes get two numbers.
   */
  addVersion(version: Omit<ModelVersion, 'version'>): Promise<{ version: string; added: boolean }>;
  readVersion(model: string, version: string): Promise<ModelVersion | undefined>;
  /** In order of their numbers, or from the last one down; a cursor is of one order. */
  listVersions(model: string, limit: number, cursor?: string, order?: 'oldest' | 'newest'): Promise<Page<ModelVersion>>;
  /** Begins after the model that `cursor` names, whether there is one of that name or not. */
  listModels(limit: number, cursor?: string): Promise<Page<ModelRoute>>;
  /** undefined if the model is not known. */
  readRoute(model: string): Promise<ModelRoute | undefined>;
  writeRoute(route: ModelRoute): Promise<void>;
}
