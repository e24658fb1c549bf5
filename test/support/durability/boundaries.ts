import type { Platform } from '../../../core/ports/platform.ts';

/** The ports of a region that keep something. */
export type StoredPorts = Pick<
  Platform,
  | 'registry'
  | 'directory'
  | 'artifacts'
  | 'uploads'
  | 'limits'
  | 'idempotency'
  | 'jobs'
  | 'queue'
  | 'dataKeys'
  | 'quarantine'
  | 'validations'
>;

/**
 * Every port call that writes to the disk. Left out are calls that change memory alone: receiving, extending and giving
 * back deliveries, and heartbeats.
 */
const WRITES: { readonly [P in keyof StoredPorts]: readonly (keyof StoredPorts[P] & string)[] } = {
  registry: [
    'writeTenant',
    'removeTenant',
    'writePlan',
    'addKey',
    'revokeKey',
    'writeIssuer',
    'removeIssuer',
    'addVersion',
    'writeRoute',
  ],
  directory: ['put', 'remove'],
  artifacts: ['store'],
  uploads: ['create', 'receive', 'discard'],
  limits: ['lease', 'reserve', 'settle', 'erase'],
  idempotency: ['claim', 'renew', 'erase'],
  jobs: ['create', 'markQueued', 'begin', 'finish', 'cancel', 'purge', 'erase'],
  queue: ['send', 'persist', 'acknowledge', 'erase'],
  dataKeys: ['fingerprint', 'destroy'],
  quarantine: ['add', 'erase'],
  validations: ['add', 'take', 'update'],
};

/** What adapters/local announces itself (see adapters/local/boundary.ts). */
const INNER = [
  'commit:before',
  'commit:after',
  'artifact:synced',
  'artifact:renamed',
  'upload:synced',
  'upload:renamed',
  'key:synced',
  'key:renamed',
];

/** At rest, when the last answer was given. */
export const WORKLOAD_END = 'workload:end';

/** Right after a client was told so. */
const TOLD = ['told:answered', 'told:accepted', 'told:done'];

/** Every named place at which a process must have been killed. */
export const BOUNDARIES: readonly string[] = [
  ...INNER,
  ...Object.entries(WRITES).flatMap(([port, methods]) =>
    methods.flatMap((method) => [`${port}.${method}:before`, `${port}.${method}:after`]),
  ),
  ...TOLD,
  WORKLOAD_END,
];

/** The same ports, announcing each write before it is asked for and after it was promised. */
export function withBoundaries(ports: StoredPorts, reach: (boundary: string) => void): StoredPorts {
  const wrapped: Record<string, unknown> = {};
  for (const [name, methods] of Object.entries(WRITES)) {
    wrapped[name] = announcing(ports[name as keyof StoredPorts], name, new Set<string>(methods), reach);
  }
  return wrapped as StoredPorts;
}

function announcing(port: object, name: string, writes: Set<string>, reach: (boundary: string) => void): object {
  return new Proxy(port, {
    get(target, property) {
      const member = Reflect.get(target, property, target) as unknown;
      if (typeof member !== 'function') return member;
      if (typeof property !== 'string' || !writes.has(property)) return member.bind(target);
      return async (...args: unknown[]) => {
        reach(`${name}.${property}:before`);
        const answer: unknown = await member.apply(target, args);
        reach(`${name}.${property}:after`);
        return answer;
      };
    },
  });
}
