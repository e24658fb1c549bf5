import type { MeteredUse, MeteredWorker, MeterRecord, Meters } from '../ports/meters.ts';
import type { Platform } from '../ports/platform.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../units.ts';
import { dayOf } from './meter-days.ts';

/** How often time is added up. A longer gap is a clock that was set, or a machine that slept: one tick of it counts. */
const TICK_MS = SECOND_MS;
const LONGEST_GAP_MS = 10 * TICK_MS;
/** A worker without work writes once a minute that it was there: 43,200 write units a month, three cents. */
const IDLE_EVERY_MS = MINUTE_MS;
/** As JSON, with room for the numbers of an entry: a part beyond this is not added to any more. */
const PART_BYTES = 300_000;
const ENTRY_BYTES = 80;
const HEAD_BYTES = 1_000;
/** Parts that wait for a store that is away: 6 MB. */
const MOST_WAITING = 20;

type MeterParts = Pick<Platform, 'clock' | 'log'> & { readonly meters: Pick<Meters, 'save'> };
export type MeterConfig = Omit<MeteredWorker, 'upMs' | 'busyMs'>;

type Use = { -readonly [Member in keyof MeteredUse]: MeteredUse[Member] };
type Part = {
  readonly day: number;
  readonly part: number;
  /** By model, version and tenant. */
  readonly uses: Map<string, Map<string, Map<string, Use>>>;
  /** Of the version that was used last: mostly the next one's too. */
  latest: { readonly model: string; readonly version: string; readonly uses: Map<string, Use> } | undefined;
  bytes: number;
  upMs: number;
  busyMs: number;
};

/**
 * What one worker computed and for whom, counted in memory and saved as totals of the UTC day, every `everyMs` while there is work: a worker
 * that is killed loses at most what it did since. One save an interval, and one more for each 300 KB that tenants and versions
 * fill, whatever the number of requests. Counting takes a fraction of a microsecond, waits for nothing and never throws.
 */
export class Meter {
  readonly #parts: MeterParts;
  readonly #config: MeterConfig;
  readonly #busyMs: () => number;
  readonly #writer = crypto.randomUUID();
  #open: Part;
  #nextPart = 0;
  #tickedMs: number;
  #countedBusyMs = 0;
  #isUsed = false;
  #savedMs = Number.NEGATIVE_INFINITY;
  #sealed: MeterRecord[] = [];
  #saving: Promise<void> | undefined;
  #isFailing = false;

  /** `busyMs`: what all runners have been busy since the start. */
  constructor(parts: MeterParts, config: MeterConfig, busyMs: () => number) {
    this.#parts = parts;
    this.#config = config;
    this.#busyMs = busyMs;
    this.#tickedMs = parts.clock.nowMs();
    this.#open = this.#begin(dayOf(this.#tickedMs));
  }

  /** A job that was ended: for which tenant ('' for the platform's own), by which version. */
  used({ tenant, model, version, computeMs, rows }: Omit<MeteredUse, 'requests'>): void {
    const day = dayOf(this.#parts.clock.nowMs());
    if (day !== this.#open.day) this.#tick();
    const use = usesOf(this.#open, model, version).get(tenant) ?? this.#addUse({ tenant, model, version }, day);
    if (computeMs > 0) use.computeMs += whole(computeMs);
    use.rows += rows;
    use.requests += 1;
    this.#isUsed = true;
  }

  #addUse(name: Pick<MeteredUse, 'tenant' | 'model' | 'version'>, day: number): Use {
    const { tenant, model, version } = name;
    const bytes = tenant.length + model.length + version.length + ENTRY_BYTES;
    if (this.#open.bytes + bytes > PART_BYTES) this.#go(day);
    const use = { ...name, computeMs: 0, rows: 0, requests: 0 };
    usesOf(this.#open, model, version).set(tenant, use);
    this.#open.bytes += bytes;
    return use;
  }

  /** Adds up time, and saves every `everyMs`, until the signal aborts. Never throws. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal).catch(() => {});
      this.#tick();
      const ageMs = clock.nowMs() - this.#savedMs;
      if (ageMs < 0 || ageMs >= (this.#isUsed ? everyMs : Math.max(everyMs, IDLE_EVERY_MS))) await this.save();
    }
  }

  /** Resolves once all that was counted is saved, or could not be and waits for the next time. Never throws. */
  async save(): Promise<void> {
    this.#tick();
    await this.#saving;
    this.#saving ??= this.#saveAll();
    await this.#saving;
  }

  /** Of a gap that reaches over midnight each day gets its part. */
  #tick(): void {
    const nowMs = this.#parts.clock.nowMs();
    const day = dayOf(nowMs);
    const gapMs = nowMs - this.#tickedMs;
    const elapsedMs = gapMs >= 0 && gapMs <= LONGEST_GAP_MS ? gapMs : TICK_MS;
    const beforeMidnightMs = day === this.#open.day + 1 ? Math.max(0, elapsedMs - (nowMs - day * DAY_MS)) : 0;
    this.#open.upMs += beforeMidnightMs;
    if (day !== this.#open.day) this.#go(day);
    this.#open.upMs += elapsedMs - beforeMidnightMs;
    const busyMs = this.#busyMs();
    this.#open.busyMs += Math.max(0, busyMs - this.#countedBusyMs);
    this.#countedBusyMs = busyMs;
    this.#tickedMs = nowMs;
  }

  /** On to the next part: of another day, also of one that was before this one, or because this one is full. */
  #go(day: number): void {
    this.#sealed.push(this.#recordOf(this.#open));
    this.#open = this.#begin(day);
    if (this.#sealed.length <= MOST_WAITING) return;
    const lost = this.#sealed.shift()!;
    this.#parts.log.error('metered use dropped: the store is away for too long', undefined, {
      day: lost.day,
      computeMs: lost.uses.reduce((sum, { computeMs }) => sum + computeMs, 0),
    });
  }

  #begin(day: number): Part {
    const part = this.#nextPart;
    this.#nextPart += 1;
    return { day, part, uses: new Map(), latest: undefined, bytes: HEAD_BYTES, upMs: 0, busyMs: 0 };
  }

  #recordOf({ day, part, uses, upMs, busyMs }: Part): MeterRecord {
    const worker = { ...this.#config, upMs: whole(upMs), busyMs: whole(busyMs) };
    return { day, writer: this.#writer, part, worker, uses: allOf(uses) };
  }

  async #saveAll(): Promise<void> {
    this.#savedMs = this.#parts.clock.nowMs();
    this.#isUsed = false;
    const open = this.#recordOf(this.#open);
    try {
      for (let sealed = this.#sealed[0]; sealed !== undefined; sealed = this.#sealed[0]) {
        await this.#parts.meters.save(sealed);
        if (this.#sealed[0] === sealed) this.#sealed.shift();
      }
      // What was sealed meanwhile is saved as it ended, and not as it was.
      if (open.part === this.#open.part) await this.#parts.meters.save(open);
      this.#isFailing = false;
    } catch (error) {
      this.#isUsed = true;
      if (!this.#isFailing) this.#parts.log.error('metered use not saved: tried again', error);
      this.#isFailing = true;
    }
    this.#saving = undefined;
  }
}

function usesOf(part: Part, model: string, version: string): Map<string, Use> {
  const { latest } = part;
  if (latest !== undefined && latest.model === model && latest.version === version) return latest.uses;
  const versions = part.uses.get(model) ?? new Map<string, Map<string, Use>>();
  const uses = versions.get(version) ?? new Map<string, Use>();
  part.uses.set(model, versions.set(version, uses));
  part.latest = { model, version, uses };
  return uses;
}

/** As they are now. */
function allOf(uses: Part['uses']): MeteredUse[] {
  const versions = [...uses.values()].flatMap((each) => [...each.values()]);
  return versions.flatMap((tenants) => [...tenants.values()].map((use) => ({ ...use })));
}

/** Whole 1/1024, which add up the same in every order. */
function whole(ms: number): number {
  return Math.round(ms * 1024) / 1024;
}
