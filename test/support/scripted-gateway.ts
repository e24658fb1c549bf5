import { createTokenizers } from '../../adapters/tokenizers/tokenizers.ts';
import type { FailureCode } from '../../core/failure.ts';
import { createGateway, type Gateway, type GatewayPorts } from '../../core/inference/gateway.ts';
import { type Job, LANES, type Outcome } from '../../core/inference/job.ts';
import type { Caller, InferCall } from '../../core/inference/request.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { CapacityReport } from '../../core/ports/capacity.ts';
import type { RegionConfig } from '../../core/ports/platform.ts';
import type { WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { Recorder } from '../../core/quality/recorder.ts';
import { DEFAULT_PLANS, type PlanLimits } from '../../core/tenancy/plan.ts';
import { floats } from './jobs.ts';
import { type LocalPlatform, openLocalPlatform, TEST_REGION } from './local-platform.ts';

/** How a job ends: `y` of one row with this value, a failure, or not at all. */
export type Script = (job: Job) => number | FailureCode | 'silent';

/** A gateway over local adapters on a clock that the test moves, and a worker that ends each job as the script says. */
export class ScriptedGateway {
  readonly local: LocalPlatform;
  readonly gateway: Gateway;
  /** Jobs that the worker was given, in order. */
  readonly jobs: Job[] = [];
  /** Ids of jobs that were settled, and with what. */
  readonly settled = new Map<string, number>();
  script: Script = () => 1;
  readonly recorder: Recorder;
  readonly #ports: GatewayPorts;
  readonly #stopped = new AbortController();

  constructor(local: LocalPlatform, config: Partial<RegionConfig> = {}, waitingPlaces?: WaitingPlaces) {
    this.local = local;
    this.recorder = new Recorder({ ...local.ports, clock: local.clock, log: local.log });
    const { limits } = local.ports;
    const settle = limits.settle.bind(limits);
    limits.settle = (tenant, id, computeMs, nowMs) => {
      if (!this.settled.has(id)) this.settled.set(id, computeMs);
      return settle(tenant, id, computeMs, nowMs);
    };
    this.#ports = {
      ...local.ports,
      config: {
        region: TEST_REGION,
        regionUrls: {},
        corsOrigins: [],
        pools: ['default'],
        usdPerComputeHour: 0.05,
        ...config,
      },
      clock: local.clock,
      log: local.log,
      recorder: this.recorder,
      tokenizers: createTokenizers(local.ports.artifacts),
      waitingPlaces,
    } as unknown as GatewayPorts;
    this.gateway = this.anotherProcess();
    for (const lane of LANES) void this.#work(lane);
  }

  /** A gateway that shares nothing with this one but the region. */
  anotherProcess(): Gateway {
    return createGateway(this.#ports);
  }

  /** Adds a version and makes it stable if it is the model's first. */
  async add(version: ModelVersion): Promise<void> {
    const { registry } = this.local.ports;
    const { version: _, ...record } = version;
    const added = await registry.addVersion(record);
    if ((await registry.readRoute(version.model))?.stable !== undefined) return;
    await registry.writeRoute({ model: version.model, stable: added.version, epoch: 1 });
  }

  /** What a worker of the pool says of itself, from now on. */
  report(changes: Partial<CapacityReport> = {}): Promise<void> {
    const atMs = this.local.clock.nowMs();
    const idle = { worker: 'w1', pool: 'default', atMs, runners: 1, backlogMs: 0, rowMs: {}, loaded: [] };
    return this.local.ports.capacity.report({ ...idle, breakers: {}, draining: false, ...changes });
  }

  caller(limits: Partial<PlanLimits> = {}): Caller {
    const tenant = { id: 'acme', plan: 'pro', captureConsent: false, createdAtMs: 0 } as unknown as Caller['tenant'];
    const principal = { id: 'key:1', tenant: 'acme', role: 'tenant-user' as const, models: undefined, user: undefined };
    return { principal, tenant, limits: { ...DEFAULT_PLANS[1]!.limits, ...limits } };
  }

  /** A call of model `m` with one row of one element. */
  call(changes: Partial<InferCall> = {}): InferCall {
    const inputs = [floats('x', [1, 1], [1])];
    return {
      caller: this.caller(),
      model: 'm',
      version: undefined,
      request: { clientId: undefined, inputs, outputs: undefined, binaryByDefault: false, timeoutMs: undefined },
      prefer: { respondAsync: false, waitMs: undefined },
      caching: 'use',
      idempotencyKey: undefined,
      traceparent: undefined,
      signal: undefined,
      ...changes,
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.local.close();
  }

  async #work(lane: (typeof LANES)[number]): Promise<void> {
    const { queue, jobs } = this.local.ports;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      for (const delivery of await queue.receive('default', lane, 10, 1e9, 1e9, signal)) {
        const { job } = delivery;
        this.jobs.push(job);
        const end = this.script(job);
        if (end === 'silent') continue;
        await jobs.finish(job, this.#outcome(job, end));
        await this.local.ports.limits.settle(job.tenant, job.id, 1, this.local.clock.nowMs());
        await queue.acknowledge([delivery]);
      }
    }
  }

  #outcome(job: Job, end: number | FailureCode): Outcome {
    const endedAtMs = this.local.clock.nowMs();
    if (typeof end === 'string') return { kind: 'failed', code: end, facts: {}, computeMs: 0, endedAtMs };
    const outputs = [floats('y', [job.rows, 1], new Array<number>(job.rows).fill(end))];
    return { kind: 'succeeded', version: job.version, outputs, computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs };
  }
}

export async function openScriptedGateway(
  config: Partial<RegionConfig> = {},
  waitingPlaces?: WaitingPlaces,
): Promise<ScriptedGateway> {
  return new ScriptedGateway(await openLocalPlatform(), config, waitingPlaces);
}
