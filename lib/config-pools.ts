import { z } from 'zod';

const tasks = z.int().min(0).max(1000);

/** From this time on a pool has at least so many tasks, until the next entry. */
const scheduledMinimum = z.strictObject({
  /** Six fields, as EventBridge takes them, days of the week by name: `0 7 ? * MON-FRI *`. */
  cron: z.string().regex(/^\S+ \S+ \S+ \S+ [A-Z?*,-]+ \*$/, 'six fields, as in 0 7 ? * MON-FRI *'),
  timeZone: z.string().refine(isTimeZone, 'a time zone such as Europe/Berlin'),
  minTasks: tasks,
});

const shared = {
  /** 0 lets the pool go away when it has nothing to do. */
  minTasks: tasks,
  maxTasks: z.int().min(1).max(1000),
  /** Jobs, waiting or prefetched, that one task is meant to have before it: what is held by adding and ending tasks. */
  backlogPerTask: z.number().min(1).max(100_000).default(20),
  scheduledMinimums: z.array(scheduledMinimum).max(20).default([]),
  /** The pool that answers while this one starts from zero. */
  bridge: z.string().optional(),
  /** The tenant that it is for, where it is for one: its costs are tagged so. */
  tenant: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,62}$/, 'a tenant id')
    .optional(),
  runners: z.int().min(1).max(64),
  intraOpThreads: z.int().min(1).max(64).default(1),
  /** Of a task's memory, what all runners together may keep resident before models are evicted. */
  modelMemoryMib: z.int().min(256),
  cacheGib: z.int().min(1).max(1000),
  preload: z.array(z.string().min(1)).max(50).default([]),
};

const gpuPool = z
  .strictObject({
    kind: z.literal('gpu'),
    ...shared,
    /** With a GPU, and memory for a task each: the more there are, the sooner one is to be had. */
    instanceTypes: z
      .array(z.string().regex(/^[a-z0-9-]+\.[a-z0-9]+$/, 'an instance type such as g5.xlarge'))
      .min(1)
      .max(10),
    /** What a task is given of its instance. */
    memoryMib: z.int().min(1024),
    /** Tasks that run On-Demand before any runs on Spot. */
    onDemandBase: tasks,
    /** Of the tasks beyond the base. */
    spotPercent: z.int().min(0).max(100),
  })
  .superRefine(checkTasks);

const cpuPool = z
  .strictObject({
    kind: z.literal('cpu'),
    ...shared,
    architecture: z.enum(['arm64', 'x64']),
    vcpu: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16)]),
    memoryMib: z.int().multipleOf(1024),
    /** Of the tasks beyond `minTasks`. */
    spotPercent: z.int().min(0).max(100),
  })
  .superRefine(checkTasks)
  .superRefine(checkFargateSize);

export const poolSchema = z.discriminatedUnion('kind', [gpuPool, cpuPool]);
export type PoolConfig = z.output<typeof poolSchema>;
export type GpuPool = z.output<typeof gpuPool>;
export type CpuPool = z.output<typeof cpuPool>;

type Sized = {
  readonly minTasks: number;
  readonly maxTasks: number;
  readonly scheduledMinimums: readonly { readonly minTasks: number }[];
  readonly memoryMib: number;
  readonly modelMemoryMib: number;
};

function checkTasks(pool: Sized, context: z.RefinementCtx): void {
  if (pool.minTasks > pool.maxTasks) problem(context, ['minTasks'], 'more than maxTasks');
  for (const [at, { minTasks }] of pool.scheduledMinimums.entries()) {
    if (minTasks > pool.maxTasks) problem(context, ['scheduledMinimums', at, 'minTasks'], 'more than maxTasks');
  }
  if (pool.modelMemoryMib >= pool.memoryMib) {
    problem(context, ['modelMemoryMib'], 'leaves nothing of memoryMib to the worker itself');
  }
}

/** GiB of memory that Fargate has beside so many processors. */
const FARGATE_GIB = { 1: [2, 8], 2: [4, 16], 4: [8, 30], 8: [16, 60], 16: [32, 120] } as const;

function checkFargateSize(
  { vcpu, memoryMib }: { readonly vcpu: keyof typeof FARGATE_GIB; readonly memoryMib: number },
  context: z.RefinementCtx,
): void {
  const [least, most] = FARGATE_GIB[vcpu];
  const step = vcpu === 16 ? 8 : vcpu === 8 ? 4 : 1;
  const gib = memoryMib / 1024;
  if (gib >= least && gib <= most && gib % step === 0) return;
  problem(context, ['memoryMib'], `beside ${vcpu} vcpu Fargate has ${least} to ${most} GiB in steps of ${step}`);
}

function problem(context: z.RefinementCtx, path: readonly (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path: [...path], message });
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
