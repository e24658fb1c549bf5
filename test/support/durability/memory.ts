import type { Entry, Infer, Operation, TenantLimits, Told } from './history.ts';
import { CRASHING_FROM } from './known-model.ts';

export type OwnTenant = {
  readonly id: string;
  state: 'asked' | 'there' | 'leaving' | 'gone';
  readonly keys: string[];
};

/** Tenants that all clients share, and what each is there to show. */
export const SHARED_TENANTS: Readonly<Record<string, TenantLimits>> = {
  acme: {},
  globex: {},
  /** A crash costs a second of refill: half of the burst. */
  meter: { requestsPerSecond: 50, requestBurst: 100 },
  /** Leased in blocks. */
  busy: { requestsPerSecond: 500, requestBurst: 1000 },
  rower: { rowsPerMinute: 60 },
  thrifty: { dailyComputeMs: 4000 },
};
export const SHARED_MODEL = 'shared';

/** What one client remembers of the whole history: enough to ask again for what it was not told. */
export class Memory {
  /** Accepted jobs, the latest last. */
  readonly jobs: { readonly tenant: string; readonly job: string }[] = [];
  readonly keyed: Infer[] = [];
  readonly crashing: Infer[] = [];
  readonly tenants = new Map<string, OwnTenant>();
  /** Versions by model. */
  readonly versions = new Map<string, string[]>();
  readonly terms = new Map<string, number>();
  readonly issuers = new Set<string>();
  /** Shared tenants that are known to be there. */
  readonly shared = new Set<string>();
  readonly #client: string;
  readonly #asked = new Map<string, Operation>();

  /** `client` prefixes what is its own. */
  constructor(client: string) {
    this.#client = client;
  }

  note(entry: Entry): void {
    if (entry.e === 'asked') {
      this.#asked.set(entry.id, entry.op);
      this.#noteAsked(entry.op);
    } else if (entry.e === 'told') {
      const op = this.#asked.get(entry.id);
      if (op !== undefined) this.#noteTold(op, entry.told);
    }
  }

  isOwn(name: string): boolean {
    return name.startsWith(this.#client);
  }

  /** Own tenants that can be used. */
  usable(): OwnTenant[] {
    return [...this.tenants.values()].filter(({ state }) => state === 'there');
  }

  unfinished(state: 'asked' | 'leaving'): OwnTenant | undefined {
    return [...this.tenants.values()].find((tenant) => tenant.state === state);
  }

  #noteAsked(op: Operation): void {
    if (op.kind === 'infer' && op.key !== undefined) this.keyed.push(op);
    if (op.kind === 'infer' && op.x >= CRASHING_FROM && this.crashing.length < 3) this.crashing.push(op);
    if (op.kind === 'push' || op.kind === 'push-later')
      this.terms.set(op.model, Math.max(op.term, this.terms.get(op.model) ?? 0));
    if (op.kind === 'put-issuer' && this.isOwn(op.issuer)) this.issuers.add(op.issuer);
    if (op.kind === 'create-tenant' && this.isOwn(op.tenant) && !this.tenants.has(op.tenant)) {
      this.tenants.set(op.tenant, { id: op.tenant, state: 'asked', keys: [] });
    }
    const tenant = op.kind === 'remove-tenant' ? this.tenants.get(op.tenant) : undefined;
    if (tenant !== undefined) tenant.state = 'leaving';
  }

  #noteTold(op: Operation, told: Told): void {
    if (op.kind === 'infer' && told.is === 'accepted') this.jobs.push({ tenant: op.tenant, job: told.job });
    if (op.kind === 'remove-issuer') this.issuers.delete(op.issuer);
    if (op.kind === 'push' && told.is === 'done') {
      const versions = this.versions.get(op.model) ?? [];
      this.versions.set(op.model, versions);
      const version = String(told.facts.version);
      if (!versions.includes(version)) versions.push(version);
    }
    if (op.kind === 'create-tenant' && op.tenant in SHARED_TENANTS && isThere(told)) this.shared.add(op.tenant);
    const tenant = 'tenant' in op ? this.tenants.get(op.tenant) : undefined;
    if (tenant !== undefined) noteTenant(tenant, op, told);
  }
}

function noteTenant(tenant: OwnTenant, op: Operation, told: Told): void {
  if (op.kind === 'create-tenant' && isThere(told)) tenant.state = 'there';
  const isGone = told.is === 'done' || (told.is === 'refused' && told.code === 'tenant-unknown');
  if (op.kind === 'remove-tenant' && isGone) tenant.state = 'gone';
  if (op.kind === 'create-key' && told.is === 'done') tenant.keys.push(String(told.facts.keyId));
}

function isThere(told: Told): boolean {
  return told.is === 'done' || (told.is === 'refused' && told.code === 'already-exists');
}
