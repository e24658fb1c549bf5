import { z } from 'zod';

/** What a plan grants. Rates refill continuously (GCRA); a burst is what may come at once. */
export const planLimitsSchema = z.strictObject({
  requestsPerSecond: z.number().min(0.01).max(1_000_000),
  requestBurst: z.int().min(1).max(1_000_000),
  rowsPerMinute: z.int().min(1).max(1_000_000_000),
  requestsInFlight: z.int().min(1).max(100_000),
  /** Requests of one tenant that may wait for their answer on a connection at once; beyond it the answer is 202. */
  waitingHandlers: z.int().min(1).max(100_000),
  /** Compute milliseconds of runners per UTC day. */
  dailyComputeMs: z.int().min(1),
  /** Share of compute under contention, relative to other tenants. */
  weight: z.number().min(0.1).max(100),
  /** Model names this plan may call; '*' is all. */
  models: z.array(z.string()).max(1000),
});

export const planSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
  limits: planLimitsSchema,
  epoch: z.int(),
});

export type PlanLimits = z.infer<typeof planLimitsSchema>;
export type Plan = z.infer<typeof planSchema>;

/** The plans of a new region. Operators change them with the control API. */
export const DEFAULT_PLANS: readonly Plan[] = [
  {
    id: 'free',
    epoch: 1,
    limits: {
      requestsPerSecond: 5,
      requestBurst: 10,
      rowsPerMinute: 600,
      requestsInFlight: 10,
      waitingHandlers: 5,
      dailyComputeMs: 10 * 60_000,
      weight: 1,
      models: ['*'],
    },
  },
  {
    id: 'pro',
    epoch: 1,
    limits: {
      requestsPerSecond: 200,
      requestBurst: 400,
      rowsPerMinute: 120_000,
      requestsInFlight: 500,
      waitingHandlers: 250,
      dailyComputeMs: 8 * 3_600_000,
      weight: 4,
      models: ['*'],
    },
  },
  {
    id: 'enterprise',
    epoch: 1,
    limits: {
      requestsPerSecond: 2_000,
      requestBurst: 4_000,
      rowsPerMinute: 2_000_000,
      requestsInFlight: 5_000,
      waitingHandlers: 2_500,
      dailyComputeMs: 96 * 3_600_000,
      weight: 16,
      models: ['*'],
    },
  },
];
