import type { CapacityReport } from '../../core/ports/capacity.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Platform } from '../../core/ports/platform.ts';
import type { ReleaseAudit } from '../../core/ports/releases.ts';
import type { Wake } from '../../core/ports/wake.ts';
import { recordAnswer } from '../../core/quality/record-answer.ts';
import { WINDOW_MS } from '../../core/quality/recorder.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { BUCKETS, cohortOf } from '../../core/release/assign.ts';
import { type Driven, driveRelease } from '../../core/release/drive.ts';
import { lotOf, type Release, routeOf } from '../../core/release/release.ts';
import { ReleaseNotices } from '../../core/release/release-notices.ts';
import { SegmentTelemetry } from '../../core/release/segment-telemetry.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { aVersion } from './jobs.ts';
import { type LocalPlatform, openLocalPlatform } from './local-platform.ts';
import type { ManualClock } from './manual-clock.ts';
import { aStart } from './release-start.ts';

/** A region's storage, with a clock that the test moves. */
export type WorldRegion = {
  readonly ports: Pick<Platform, 'capacity' | 'registry' | 'releases' | 'telemetry' | 'wake' | 'webhooks'>;
  readonly clock: Pick<ManualClock, 'advance' | 'nowMs'>;
  readonly log: Log;
  crash(): Promise<void>;
};

/** How requests end on a version. */
export type Behaviour = { readonly errorRate?: number; readonly latencyMs?: number; readonly crashes?: number };

/**
 * A region's storage with model `m`, versions 1 (stable) and 2, a pool of which tests say how many runners have what, and traffic that is counted
 * as gateways and workers do: window by window, each user on the version of the release's share.
 */
export class ReleaseWorld<Region extends WorldRegion = LocalPlatform> {
  readonly local: Region;
  readonly behaviour: Record<string, Behaviour> = {};
  readonly woken: string[] = [];
  runners = 4;
  /** Runners that have version 2; undefined: the pool has no worker. */
  warm: number | undefined = 4;
  #sequence = 0;
  #random = seededRandom(7);
  #seen: SegmentTelemetry;
  #notices: ReleaseNotices;

  private constructor(local: Region) {
    this.local = local;
    this.#seen = new SegmentTelemetry(local.ports);
    this.#notices = new ReleaseNotices({ ...local.ports, log: local.log }, '');
  }

  static async open(): Promise<ReleaseWorld> {
    return ReleaseWorld.over(await openLocalPlatform());
  }

  static async over<Region extends WorldRegion>(local: Region): Promise<ReleaseWorld<Region>> {
    for (const digest of ['a', 'b', 'c']) {
      const { version: _, ...pushed } = aVersion({ model: 'm' });
      await local.ports.registry.addVersion({ ...pushed, digest: digest.repeat(64) });
    }
    await local.ports.registry.writeRoute({ model: 'm', stable: '1', epoch: 1 });
    return new ReleaseWorld(local);
  }

  async start(plan: unknown): Promise<Release> {
    const { release, audits } = aStart(this.nowMs(), { plan });
    await this.local.ports.releases.start(release, audits);
    return release;
  }

  nowMs(): number {
    return this.local.clock.nowMs();
  }

  ports() {
    const { ports, log } = this.local;
    const wake = {
      wake: (pool: string) => {
        this.woken.push(pool);
        return 0;
      },
    } as unknown as Wake;
    return { ...ports, wake, log, notices: this.#notices };
  }

  async look(id: string, seen = this.#seen, notices = this.#notices): Promise<Driven> {
    await this.report();
    return driveRelease({ ...this.ports(), notices }, seen, id, this.nowMs());
  }

  /** Goes on as after kill -9. */
  async crash(): Promise<void> {
    await this.local.crash();
    this.#seen = new SegmentTelemetry(this.local.ports);
    this.#notices = new ReleaseNotices({ ...this.local.ports, log: this.local.log }, '');
  }

  /** Lets time pass window by window, `users` asking once in each, and looks at the release at the end of each until it says stop. */
  async pass(
    id: string,
    windows: number,
    users = 200,
    until: (driven: Driven) => boolean = () => false,
  ): Promise<Driven> {
    let driven = await this.look(id);
    for (let at = 0; at < windows && !until(driven) && driven.lookAtMs !== undefined; at += 1) {
      const startMs = Math.ceil(this.nowMs() / WINDOW_MS) * WINDOW_MS;
      await this.traffic(driven.release, startMs, users);
      await this.local.clock.advance(startMs + WINDOW_MS - this.nowMs());
      driven = await this.look(id);
    }
    return driven;
  }

  async stable(): Promise<string | undefined> {
    return (await this.local.ports.registry.readRoute('m'))?.stable;
  }

  async audits(id: string): Promise<readonly ReleaseAudit[]> {
    return (await this.local.ports.releases.listAudits(id, 1000)).items;
  }

  /** What the pool says of itself. */
  async report(): Promise<void> {
    if (this.warm === undefined) return;
    const report: CapacityReport = {
      worker: 'w1',
      pool: 'default',
      atMs: this.nowMs(),
      runners: this.runners,
      backlogMs: 0,
      rowMs: {},
      loaded: ['m@1', 'm@2'],
      warm: { 'm@1': this.runners, 'm@2': this.warm, 'm@3': this.runners },
      breakers: {},
      draining: false,
    };
    await this.local.ports.capacity.report(report);
  }

  /** What `users` asked for in a window, one request each. */
  async traffic(release: Release, windowStartMs: number, users: number): Promise<void> {
    const route = routeOf(release);
    const lot = lotOf(release);
    const telemetry = new Map([route.serving, release.candidate].map((version) => [version, emptyTelemetry(lot)]));
    for (let user = 0; user < users; user += 1) {
      const bucket = Math.floor(((user * 7919) % 10_007) * (BUCKETS / 10_007));
      const shadowed = bucket < route.shadow;
      const version = route.candidate !== undefined && bucket < route.share.weight ? route.candidate : route.serving;
      this.#answer(telemetry.get(version)!, version, bucket, user);
      if (!shadowed) continue;
      const shadow = telemetry.get(release.candidate)!;
      this.#answer(shadow, release.candidate, bucket, user);
      shadow.shadow.compared += 1;
      shadow.shadow.agreed += 1;
      const cohort = shadow.release?.cohorts.get(cohortOf(bucket));
      if (cohort !== undefined) {
        cohort.shadow.compared += 1;
        cohort.shadow.agreed += 1;
      }
    }
    const { crashes = 0 } = this.behaviour[release.candidate] ?? {};
    const flows = route.candidate !== undefined && (route.shadow > 0 || route.share.weight > 0);
    if (flows) telemetry.get(release.candidate)!.crashes += crashes;
    const items = [...telemetry].map(([version, told]) => {
      this.#sequence += 1;
      return { model: 'm', version, windowStartMs, writer: 'w1', sequence: this.#sequence, shard: 0, telemetry: told };
    });
    await this.local.ports.telemetry.append(items);
  }

  #answer(telemetry: ReturnType<typeof emptyTelemetry>, version: string, bucket: number, user: number): void {
    const { errorRate = 0, latencyMs = 10 } = this.behaviour[version] ?? {};
    const failed = this.#random() < errorRate;
    recordAnswer(telemetry, {
      tenant: `t${user % 10}`,
      latencyMs: latencyMs * (0.8 + 0.4 * this.#random()),
      queueMs: 1,
      computeMs: 2,
      rows: 1,
      inputElements: 4,
      error: failed ? 'prediction-failed' : undefined,
      fellBack: false,
      label: undefined,
      confidence: undefined,
      lot: { cohort: cohortOf(bucket), unit: user },
    });
  }
}
