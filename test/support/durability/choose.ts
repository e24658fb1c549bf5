import type { Infer, Kind, Operation } from './history.ts';
import { CRASHING_FROM, SLOW_FROM } from './known-model.ts';
import { type Memory, SHARED_MODEL, SHARED_TENANTS } from './memory.ts';

export type Random = () => number;

/** Far more than the longest deadline of what nobody waits for: such a job ends by being run. */
const LONG_MS = 6 * 3_600_000;

type Variant = 'keyed' | 'again' | 'crash' | 'late' | 'overdue' | 'rower' | 'slow';
export type Wish = Kind | `infer-${Variant}`;

/** Which operations reach the boundaries of a port: the first word of a boundary's name, or the whole. */
const REACHED_BY: Readonly<Record<string, readonly Wish[]>> = {
  'registry.writeTenant': ['create-tenant', 'change-tenant'],
  'registry.removeTenant': ['create-tenant', 'remove-tenant'],
  'registry.writePlan': ['put-plan'],
  'registry.addKey': ['create-tenant', 'create-key'],
  'registry.revokeKey': ['create-tenant', 'create-key', 'revoke-key'],
  'registry.writeIssuer': ['put-issuer'],
  'registry.removeIssuer': ['put-issuer', 'remove-issuer'],
  'registry.addVersion': ['push'],
  'registry.writeRoute': ['push', 'push', 'set-stable', 'set-stable'],
  'directory.put': ['create-tenant', 'change-tenant'],
  'directory.remove': ['create-tenant', 'remove-tenant'],
  'limits.erase': ['create-tenant', 'remove-tenant'],
  'idempotency.claim': ['infer-keyed'],
  'idempotency.renew': ['infer-slow'],
  'jobs.cancel': ['infer-slow', 'cancel', 'infer', 'cancel'],
  'queue.persist': ['infer-overdue', 'infer-overdue'],
  'dataKeys.fingerprint': ['infer-keyed'],
  'quarantine.add': ['infer-crash', 'infer-crash'],
  validations: ['push', 'push-later'],
  artifact: ['push'],
  artifacts: ['push'],
  upload: ['push'],
  uploads: ['push'],
  limits: ['infer', 'take'],
  jobs: ['infer'],
  queue: ['infer'],
  told: ['infer', 'infer-keyed', 'create-tenant', 'change-tenant'],
};
/** Ports that only an erasure erases. */
const ERASED = new Set(['jobs.erase', 'queue.erase', 'idempotency.erase', 'quarantine.erase', 'dataKeys.destroy']);

/** What a client does to reach a boundary; empty where every start reaches it. */
export function kindsReaching(boundary: string): readonly Wish[] {
  const [port, method] = boundary.split(/[.:]/);
  const call = `${port}.${method}`;
  if (ERASED.has(call)) return ['create-tenant', 'infer', 'erase-tenant'];
  return REACHED_BY[call] ?? REACHED_BY[port!] ?? [];
}

/** How often each kind is chosen, out of their sum. */
const WEIGHTS: readonly (readonly [Wish, number])[] = [
  ['infer', 30],
  ['infer-late', 12],
  ['infer-keyed', 12],
  ['infer-again', 12],
  ['infer-rower', 3],
  ['infer-overdue', 2],
  ['infer-crash', 2],
  ['infer-slow', 1],
  ['read', 12],
  ['cancel', 7],
  ['take', 10],
  ['create-tenant', 3],
  ['change-tenant', 4],
  ['read-tenant', 4],
  ['erase-tenant', 2],
  ['remove-tenant', 1],
  ['create-key', 3],
  ['revoke-key', 2],
  ['push', 4],
  ['push-later', 3],
  ['set-stable', 3],
  ['read-route', 3],
  ['put-plan', 1],
  ['put-issuer', 1],
  ['remove-issuer', 1],
];
const WEIGHT_SUM = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

/** One client's choices: the same for the same seed and the same memory. */
export class Chooser {
  readonly #client: string;
  readonly #memory: Memory;
  readonly #random: Random;
  #count = 0;
  readonly #prefix: string;

  /** `incarnation` keeps names apart that the memory does not hold. */
  constructor(client: string, incarnation: number, memory: Memory, random: Random) {
    this.#client = client;
    this.#memory = memory;
    this.#random = random;
    this.#prefix = `${client}-${incarnation}`;
  }

  kind(): Wish {
    let left = this.#random() * WEIGHT_SUM;
    for (const [kind, weight] of WEIGHTS) {
      left -= weight;
      if (left < 0) return kind;
    }
    return 'infer';
  }

  /** What a kind asks for now; undefined if there is nothing that it could be done to. */
  operation(kind: Wish): Operation | undefined {
    return this.#prediction(kind) ?? this.#ofTenant(kind) ?? this.#ofModel(kind) ?? this.#ofOperator(kind);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  infer(changes: Partial<Infer> = {}): Infer {
    const own = this.#memory.usable();
    const tenant =
      own.length > 0 && this.#random() < 0.3 ? this.pick(own)!.id : this.pick(['acme', 'globex', 'thrifty'])!;
    const models = [...this.#memory.versions.keys()].filter(
      (name) => name === SHARED_MODEL || this.#memory.isOwn(name),
    );
    const model = this.pick(models) ?? SHARED_MODEL;
    const version = this.#random() < 0.2 ? this.pick(this.#memory.versions.get(model) ?? []) : undefined;
    return {
      kind: 'infer',
      tenant,
      model,
      version,
      x: Math.floor(this.#random() * 100_000),
      rows: 1 + Math.floor(this.#random() * 3),
      style: 'async',
      key: undefined,
      timeoutMs: this.#random() < 0.8 ? LONG_MS : undefined,
      ...changes,
    };
  }

  nextName(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count}`;
  }

  #prediction(kind: Wish): Operation | undefined {
    const { jobs, keyed, crashing } = this.#memory;
    switch (kind) {
      case 'infer':
        return this.infer({ style: this.#random() < 0.8 ? 'async' : 'sync' });
      case 'infer-late':
        return this.infer({ style: 'late' });
      case 'infer-rower':
        return this.infer({ tenant: 'rower', rows: 16 + Math.floor(this.#random() * 48) });
      case 'infer-overdue':
      case 'infer-slow': {
        const x = SLOW_FROM + Math.floor(this.#random() * 1000);
        return this.infer({ style: 'late', x, key: kind === 'infer-slow' ? this.nextName() : undefined });
      }
      case 'infer-crash':
        return this.pick(crashing) ?? this.infer({ x: CRASHING_FROM, rows: 1, style: 'sync' });
      case 'infer-keyed': {
        const style = this.#random() < 0.5 ? 'async' : 'sync';
        const x = this.#random() < 0.1 ? -1 - Math.floor(this.#random() * 1000) : undefined;
        return this.infer({ style, key: this.nextName(), ...(x !== undefined && { x }) });
      }
      case 'infer-again': {
        const earlier = this.pick(keyed.slice(-20));
        if (earlier === undefined || !this.#mayCall(earlier.tenant)) return undefined;
        return this.#random() < 0.15 ? { ...earlier, x: earlier.x + 1 } : earlier;
      }
      case 'read': {
        const job = this.pick(jobs.slice(-30));
        return job === undefined ? undefined : { kind, ...job };
      }
      case 'cancel': {
        const job = jobs.at(-1 - Math.floor(this.#random() * 3));
        return job === undefined ? undefined : { kind, ...job };
      }
      case 'take':
        return { kind, tenant: this.pick(['meter', 'busy'])!, units: 10 + Math.floor(this.#random() * 60) };
      default:
        return undefined;
    }
  }

  #ofTenant(kind: Wish): Operation | undefined {
    const tenant = this.pick(this.#memory.usable());
    switch (kind) {
      case 'create-tenant': {
        const id = this.#memory.unfinished('asked')?.id ?? this.nextName();
        return { kind, tenant: id, plan: 'enterprise', limits: {} };
      }
      case 'remove-tenant': {
        const id = this.#memory.unfinished('leaving')?.id ?? tenant?.id;
        return id === undefined ? undefined : { kind, tenant: id };
      }
      case 'change-tenant':
        return tenant && { kind, tenant: tenant.id, name: this.nextName() };
      case 'read-tenant':
      case 'erase-tenant':
      case 'create-key':
        return tenant && { kind, tenant: tenant.id };
      case 'revoke-key': {
        const keyId = tenant === undefined ? undefined : this.pick(tenant.keys);
        return keyId === undefined ? undefined : { kind, tenant: tenant!.id, keyId };
      }
      default:
        return undefined;
    }
  }

  #ofModel(kind: Wish): Operation | undefined {
    const model = this.#client === 'c0' && this.#random() < 0.5 ? SHARED_MODEL : `${this.#client}-model`;
    const versions = this.#memory.versions.get(model) ?? [];
    switch (kind) {
      case 'push': {
        const term = this.#memory.terms.get(model) ?? 0;
        // Now and then the same again: it is the same version.
        const again = term > 0 && this.#random() < 0.3;
        return { kind, model, term: again ? term : term + 1, uploaded: this.#random() < 0.6 };
      }
      case 'push-later':
        return { kind, model, term: (this.#memory.terms.get(model) ?? 0) + 1 };
      case 'set-stable': {
        const version = this.pick(versions);
        return version === undefined ? undefined : { kind, model, version };
      }
      case 'read-route':
        return { kind, model };
      default:
        return undefined;
    }
  }

  #ofOperator(kind: Wish): Operation | undefined {
    switch (kind) {
      case 'put-plan':
        return { kind, plan: `${this.#client}-plan`, weight: 1 + Math.floor(this.#random() * 90) };
      case 'put-issuer':
        return { kind, issuer: this.nextName(), audience: this.nextName() };
      case 'remove-issuer': {
        const issuer = this.pick([...this.#memory.issuers]);
        return issuer === undefined ? undefined : { kind, issuer };
      }
      default:
        return undefined;
    }
  }

  #mayCall(tenant: string): boolean {
    return tenant in SHARED_TENANTS || this.#memory.usable().some(({ id }) => id === tenant);
  }
}
