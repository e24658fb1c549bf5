import type { ModelRunner } from '../adapters/onnx/model-runner.ts';
import type { Provider } from '../adapters/onnx/providers.ts';
import { Meter, type MeterConfig } from '../core/cost/meter.ts';
import { FairQueue } from '../core/inference/fair-queue.ts';
import type { Work } from '../core/inference/work.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Purchase } from '../core/ports/meters.ts';
import type { Platform } from '../core/ports/platform.ts';
import type { Recording } from '../core/quality/recorder.ts';
import { Breakers } from './breakers.ts';
import { CaptureWriter } from './capture-writer.ts';
import type { DispatchParts } from './dispatcher.ts';
import { Executor } from './executor.ts';
import { Heartbeat } from './heartbeat.ts';
import { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import { RunnerPool } from './pool.ts';
import { PredictionWriter } from './prediction-writer.ts';
import { Revocations } from './revocations.ts';
import { type RunnerSettings, spawnRunner } from './runner-process.ts';
import { Shadows } from './shadows.ts';
import { StandIns } from './stand-ins.ts';
import { VersionShelf } from './version-shelf.ts';

export type WorkerConfig = {
  /** Names this worker in capacity reports. */
  readonly worker: string;
  readonly pool: string;
  /** Processes that run models, one thread each unless told otherwise: as many as there are cores. */
  readonly runners: number;
  readonly intraOpThreads: number;
  readonly provider: Provider;
  /** Of the host's environment, what the provider needs (`environmentOf`). */
  readonly environment: Readonly<Record<string, string>>;
  /** See `RunnerSettings`. */
  readonly cacheFolder?: string | undefined;
  /** Resident memory of all runners together beyond which models are evicted. */
  readonly memoryLimitBytes: number;
  /** Models whose stable version is loaded at the start. */
  readonly preload: readonly string[];
  readonly metering: Metering;
};

/** What this worker runs on, and what that costs: see `MeteredWorker`. */
export type Metering = {
  readonly instanceType: string;
  readonly purchase: Purchase;
  readonly usdPerHour: number;
  /** How often what was computed is saved: so much is lost with a worker that is killed. */
  readonly everyMs: number;
};

export type WorkerPorts = Pick<
  Platform,
  | 'queue'
  | 'jobs'
  | 'registry'
  | 'releases'
  | 'artifacts'
  | 'limits'
  | 'meters'
  | 'capacity'
  | 'quarantine'
  | 'captures'
  | 'feedbacks'
  | 'dataKeys'
  | 'deadLetters'
  | 'clock'
  | 'log'
  | 'spans'
> &
  Recording;

export type Worker = {
  /** Takes work from now on. Resolves when the preloaded models are warm, or could not be loaded (which is logged). */
  start(): Promise<void>;
  /**
   * Takes no more work, hands back at once what has not started, finishes what runs until `deadlineMs` (absolute) and
   * ends the runners. What still runs then is handed back.
   */
  drain(deadlineMs: number): Promise<void>;
};

export type WorkerLoad = {
  /** Jobs taken from the queue and not ended. */
  readonly held: number;
  /** Those of them that no runner runs. */
  readonly notStarted: number;
};

const DRAIN_POLL_MS = 10;

/** Runs a pool's jobs: fair order, batches formed when a runner is idle, runs in processes that may be killed. */
export function createWorker(
  ports: WorkerPorts,
  config: WorkerConfig,
  spawn: (settings: RunnerSettings, clock: Clock) => ModelRunner = spawnRunner,
): Worker & { load(): WorkerLoad } {
  const shelf = new VersionShelf(ports);
  const pool = new RunnerPool(ports, shelf, () => spawn(config, ports.clock), config);
  const captures = new CaptureWriter(ports);
  const predictions = new PredictionWriter(ports, shelf);
  const shadows = new Shadows(ports, shelf);
  const meter = new Meter(ports, meterConfig(config), () => pool.busyMs);
  const metered = new AbortController();
  const held = {
    queue: new FairQueue<Work>(),
    shelf,
    ledger: new Ledger(ports, captures, shadows, meter, predictions),
  };
  const standIns = new StandIns(ports, held, () => dispatch());
  const breakers = new Breakers(ports, { ...held, standIns }, () => intake.onTaken());
  const revocations = new Revocations(ports, shelf);
  const parts: DispatchParts = { ...held, pool, breakers, revocations, standIns };
  const executor = new Executor(ports, parts, () => intake.onTaken());
  const dispatch = () => executor.dispatcher.dispatch();
  const intake = new Intake(ports, parts, config, dispatch);
  const heartbeat = new Heartbeat(ports, parts, config, dispatch);
  let [beating, metering] = [Promise.resolve(), Promise.resolve()];
  return {
    load() {
      const { held } = parts.ledger;
      return { held, notStarted: Math.max(0, held - executor.runningJobs) };
    },
    async start() {
      pool.warm();
      intake.start();
      beating = heartbeat.run();
      metering = meter.run(config.metering.everyMs, metered.signal);
      await preload(ports, parts, config.preload);
      await heartbeat.report();
    },
    async drain(deadlineMs) {
      await intake.stop();
      await heartbeat.drain();
      await parts.ledger.giveBack(parts.queue.takeBuckets(() => true).map((work) => work.delivery));
      while (executor.isBusy && ports.clock.nowMs() < deadlineMs) await ports.clock.sleep(DRAIN_POLL_MS);
      heartbeat.stop();
      await beating;
      await parts.ledger.giveBackAll();
      await pool.end();
      await Promise.all([captures.drain(), predictions.drain()]);
      metered.abort();
      await metering;
      await meter.save();
    },
  };
}

function meterConfig({ metering, worker, pool, runners, provider }: WorkerConfig): MeterConfig {
  const { instanceType, purchase, usdPerHour } = metering;
  return { worker, pool, instanceType, purchase, gpu: provider === 'cuda', runners, usdPerHour };
}

async function preload(ports: WorkerPorts, { pool, shelf }: DispatchParts, models: readonly string[]): Promise<void> {
  for (const model of models) {
    try {
      const stable = (await ports.registry.readRoute(model))?.stable;
      if (stable === undefined) continue;
      const version = await shelf.bring(model, stable);
      const placement = pool.place(version, ports.clock.nowMs());
      if (placement.kind === 'load') await pool.load(placement.slot, version);
    } catch (error) {
      ports.log.error('model not preloaded', error, { model });
    }
  }
}
