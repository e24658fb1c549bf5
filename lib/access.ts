import type { DeployedFunction } from './bundle.ts';
import type { TableName } from './region-resources.ts';

type ReadOrWrite = 'read' | 'write';

/** What a process may touch. Whatever is not named it may not. */
export type Access = {
  readonly tables: { readonly [Name in Exclude<TableName, 'dataKeys'>]?: ReadOrWrite };
  /** Seals and opens payloads under tenants' data keys. */
  readonly dataKeys?: true;
  readonly artifacts?: ReadOrWrite;
  /** Of tenants' sealed payloads and captures. */
  readonly payloads?: ReadOrWrite | 'erase';
  /** Signs, reads and deletes uploads. */
  readonly uploads?: true;
  /** `look`: only how many wait. */
  readonly queues?: 'look' | 'send' | 'work';
  /** Takes in what queues gave up by themselves. */
  readonly deadLetters?: true;
  /** Starts a pool that is at zero. */
  readonly wakesPools?: true;
  /** Reads the settings that change without a deployment. */
  readonly settings?: true;
  readonly signingKey?: ReadOrWrite;
  readonly operatorKey?: 'write';
  /** Of synthetic checks. */
  readonly canaryKey?: ReadOrWrite;
  /** Reads approved packages of the SageMaker Model Registry and writes back what became of them. */
  readonly modelPackages?: true;
  /** Extends the protection of its own task while it works. */
  readonly protectsItself?: true;
};

/** Who is asking, of which tenant and region, and whether it asks too often: what a request of the data plane is checked for. */
const ASKED = { directory: 'read', control: 'read', limits: 'write' } as const;

/** What each function may touch, by what its handlers do. */
export const FUNCTION_ACCESS: Readonly<Record<DeployedFunction, Access>> = {
  infer: {
    // `control` is written where a pool is woken: the lock that lets one caller a minute do it.
    tables: { ...ASKED, control: 'write', jobs: 'write', telemetry: 'write' },
    dataKeys: true,
    artifacts: 'read',
    payloads: 'write',
    queues: 'send',
    wakesPools: true,
    settings: true,
    signingKey: 'read',
  },
  predictions: {
    tables: { ...ASKED, jobs: 'write', telemetry: 'write' },
    dataKeys: true,
    payloads: 'write',
    settings: true,
    signingKey: 'read',
  },
  catalogue: { tables: ASKED, settings: true, signingKey: 'read' },
  replay: {
    // `control` is written where a release is started. What operators alone may ask is not counted against a tenant's rate.
    tables: { directory: 'read', control: 'write', jobs: 'read' },
    dataKeys: true,
    artifacts: 'read',
    payloads: 'read',
    settings: true,
    signingKey: 'read',
  },
  control: {
    tables: { directory: 'write', control: 'write', jobs: 'write', limits: 'write', telemetry: 'write' },
    dataKeys: true,
    artifacts: 'write',
    // Of a tenant whose data are erased, and of dead letters that are discarded.
    payloads: 'erase',
    queues: 'look',
    uploads: true,
    settings: true,
    signingKey: 'read',
  },
  validate: { tables: { control: 'write' }, artifacts: 'write', settings: true },
  notices: { tables: { control: 'write', jobs: 'write' }, dataKeys: true, settings: true },
  sweep: {
    tables: { control: 'write', jobs: 'write' },
    dataKeys: true,
    payloads: 'write',
    queues: 'send',
    deadLetters: true,
    wakesPools: true,
    settings: true,
  },
  'model-packages': { tables: { control: 'write' }, artifacts: 'write', modelPackages: true, settings: true },
  // The region's webhooks, to which it addresses messages, are sealed.
  'release-step': { tables: { control: 'write', telemetry: 'read' }, dataKeys: true, wakesPools: true },
  // The region's webhooks, to which it addresses messages, are sealed; references are made of golden pairs and reference files.
  quality: { tables: { control: 'write', telemetry: 'write' }, dataKeys: true, artifacts: 'read' },
  // Rolls up what it reads; asks the region as its canary.
  watch: {
    tables: { control: 'read', jobs: 'read', telemetry: 'write' },
    queues: 'look',
    settings: true,
    canaryKey: 'read',
  },
  setup: { tables: { control: 'write' }, signingKey: 'write', operatorKey: 'write', canaryKey: 'write' },
};

export const WORKER_ACCESS: Access = {
  tables: { control: 'write', jobs: 'write', limits: 'write', telemetry: 'write' },
  dataKeys: true,
  artifacts: 'read',
  payloads: 'write',
  queues: 'work',
  protectsItself: true,
};
