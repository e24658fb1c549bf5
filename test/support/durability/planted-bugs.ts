import type { IdempotencyRecord } from '../../../core/ports/idempotency.ts';
import { type GcraPolicy, takeUnits } from '../../../core/tenancy/gcra.ts';
import { override } from '../fault.ts';
import type { StoredPorts } from './boundaries.ts';

type Plant = (ports: StoredPorts) => StoredPorts;

/** Mistakes that lose something over a kill, and nothing without one. */
export const PLANTED_BUGS = {
  /** The job is told to be there before it is on the disk. */
  'created-before-commit': (ports) => ({
    ...ports,
    jobs: override(ports.jobs, {
      async create(job, expiresAtMs) {
        void ports.jobs.create(job, expiresAtMs);
        return 'created';
      },
      async markQueued(tenant, id) {
        void ports.jobs.markQueued(tenant, id);
      },
    }),
    queue: override(ports.queue, {
      async send(job) {
        void ports.queue.send(job);
      },
    }),
  }),
  /** A job whose caller stopped waiting is accepted, but its message lives in memory alone. */
  'message-not-persisted': (ports) => ({ ...ports, queue: override(ports.queue, { async persist() {} }) }),
  /** A cancellation that only this process knows of. */
  'cancelled-in-memory': (ports) => {
    const cancelled = new Set<string>();
    return {
      ...ports,
      jobs: override(ports.jobs, {
        async cancel(_tenant, id) {
          const isFirst = !cancelled.has(id);
          cancelled.add(id);
          return isFirst ? 'cancelled' : 'ended';
        },
      }),
    };
  },
  /** Inputs that kill a runner, known to this process alone. */
  'quarantined-in-memory': (ports) => {
    const known = new Set<string>();
    return {
      ...ports,
      quarantine: override(ports.quarantine, {
        async add(tenant, fingerprint) {
          known.add(`${tenant}/${fingerprint}`);
        },
        async isEmpty() {
          return known.size === 0;
        },
        async has(tenant, fingerprint) {
          return known.has(`${tenant}/${fingerprint}`);
        },
      }),
    };
  },
  /** Each process tells an outcome of its own making. */
  'outcome-retold': (ports) => {
    const startedMs = Date.now();
    return {
      ...ports,
      jobs: override(ports.jobs, {
        async read(tenant, id, nowMs) {
          const record = await ports.jobs.read(tenant, id, nowMs);
          if (record?.state.kind !== 'ended') return record;
          const outcome = { ...record.state.outcome, endedAtMs: startedMs };
          return { ...record, state: { kind: 'ended', outcome } };
        },
      }),
    };
  },
  /** A key of a client that is good for as many jobs as it likes. */
  'claims-forgotten': (ports) => {
    const claims = new Map<string, IdempotencyRecord>();
    const nameOf = (key: object) => JSON.stringify(key);
    return {
      ...ports,
      idempotency: override(ports.idempotency, {
        async read(key) {
          return claims.get(nameOf(key));
        },
        async claim(key, record) {
          const found = claims.get(nameOf(key));
          if (found !== undefined) return found;
          claims.set(nameOf(key), record);
          return 'claimed';
        },
      }),
    };
  },
  /** Rates are counted anew by every process. */
  'rates-in-memory': (ports) => {
    const rates = new Map<string, number>();
    return {
      ...ports,
      limits: override(ports.limits, {
        async lease(tenant: string, meter: string, policy: GcraPolicy, needed: number, wanted: number, nowMs: number) {
          const key = `${tenant}/${meter}`;
          const { tatMs, ...lease } = takeUnits(policy, rates.get(key) ?? 0, needed, wanted, nowMs);
          rates.set(key, tatMs);
          return lease;
        },
      }),
    };
  },
  /** A push is told to be accepted before its record is on the disk. */
  'push-before-commit': (ports) => ({
    ...ports,
    validations: override(ports.validations, {
      async add(record) {
        void ports.validations.add(record);
        return record;
      },
    }),
  }),
  /** A control record that is told to be there before it is. */
  'record-before-commit': (ports) => ({
    ...ports,
    registry: override(ports.registry, {
      async addKey(key) {
        void ports.registry.addKey(key);
      },
      async writeTenant(tenant) {
        void ports.registry.writeTenant(tenant);
      },
      async writeRoute(route) {
        void ports.registry.writeRoute(route);
      },
    }),
  }),
} as const satisfies Record<string, Plant>;

export type BugName = keyof typeof PLANTED_BUGS;
