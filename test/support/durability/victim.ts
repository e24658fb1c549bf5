import { flushCompileCache } from 'node:module';
import { seededRandom } from '../../../core/seeded-random.ts';
import { WORKLOAD_END } from './boundaries.ts';
import { Chooser, kindsReaching, type Wish } from './choose.ts';
import { type Entry, HistoryWriter, type Operation, readHistory, type Told } from './history.ts';
import { Memory, SHARED_MODEL, SHARED_TENANTS } from './memory.ts';
import { perform } from './perform.ts';
import { type BugName, PLANTED_BUGS } from './planted-bugs.ts';
import { openRegionUnderTest, type RegionUnderTest, storyFiles } from './region-under-test.ts';
import { StoryClock } from './story-clock.ts';

/*
 * The process that is killed: opens the region of a story, lets three clients ask, and notes what they are told. It ends
 * itself with SIGKILL at a boundary, unless it is killed from outside or closes in order before.
 */
export type VictimTask = {
  readonly folder: string;
  readonly seed: number;
  readonly incarnation: number;
  /** Of the story's clock when it began. */
  readonly offsetMs: number;
  /** The `nth` time that this boundary is reached, or any boundary if none is named. */
  readonly kill: { readonly boundary: string | undefined; readonly nth: number } | undefined;
  readonly ending: 'close' | 'kill';
  /** What every client does first. */
  readonly focus: readonly Wish[];
  readonly bug: BugName | undefined;
  /** As of `Opening`. */
  readonly slowMs?: number;
};

const CLIENTS = ['c0', 'c1', 'c2'];
const MOST_OPERATIONS = 8;
/** The lease of an idempotency record, and a second. */
const LEASE_MS = 61_000;

class Victim {
  readonly #task: VictimTask;
  readonly #clock: StoryClock;
  readonly #history: HistoryWriter;
  readonly #memories: readonly Memory[];
  #reached = 0;

  constructor(task: VictimTask) {
    this.#task = task;
    const { history } = storyFiles(task.folder);
    const entries = readHistory(history);
    const jumped = entries.findLast((entry) => entry.e === 'jumped');
    this.#clock = new StoryClock(jumped?.offsetMs ?? task.offsetMs);
    this.#memories = CLIENTS.map((client) => new Memory(client));
    this.#history = new HistoryWriter(history);
    for (const entry of entries) for (const memory of this.#memories) memory.note(entry);
  }

  async run(): Promise<void> {
    const { folder, incarnation, ending, bug, slowMs } = this.#task;
    this.#note({ e: 'started', incarnation, atMs: this.#clock.nowMs() });
    const plant = bug === undefined ? {} : { plant: PLANTED_BUGS[bug] };
    const region = await openRegionUnderTest({
      folder,
      clock: this.#clock,
      reach: (name) => this.#reach(name),
      ...plant,
      ...(slowMs !== undefined && { slowMs }),
    });
    await this.#setUp(region);
    await Promise.all(CLIENTS.map((client, at) => this.#live(region, client, this.#memories[at]!)));
    this.#reach(WORKLOAD_END);
    if (ending === 'kill') this.#die(WORKLOAD_END);
    await region.close();
    this.#note({ e: 'closed' });
  }

  /** What all clients share, each asked for until it is known to be there. */
  async #setUp(region: RegionUnderTest): Promise<void> {
    const memory = this.#memories[0]!;
    if (!memory.versions.has(SHARED_MODEL)) {
      await this.#ask(region, 'setup-0', { kind: 'push', model: SHARED_MODEL, term: 1, uploaded: false });
    }
    for (const [at, [tenant, limits]] of Object.entries(SHARED_TENANTS).entries()) {
      if (memory.shared.has(tenant)) continue;
      await this.#ask(region, `setup-${at + 1}`, { kind: 'create-tenant', tenant, plan: 'enterprise', limits });
    }
  }

  async #live(region: RegionUnderTest, client: string, memory: Memory): Promise<void> {
    const { seed, incarnation, kill, focus } = this.#task;
    const random = seededRandom(seed * 1009 + incarnation * 31 + Number(client.slice(1)));
    const chooser = new Chooser(client, incarnation, memory, random);
    const kinds = Array.from({ length: MOST_OPERATIONS }, () => chooser.kind());
    if (random() < 0.4) kinds.unshift('take');
    kinds.unshift(...focus);
    if (client === 'c0' && kill?.boundary !== undefined) kinds.unshift(...kindsReaching(kill.boundary));
    for (const [at, kind] of kinds.entries()) {
      const op = chooser.operation(kind);
      if (op === undefined) continue;
      const told = await this.#ask(region, `${incarnation}-${client}-${at}`, op);
      if (kind === 'infer-slow' && told.is === 'accepted')
        await this.#askAfterLease(region, `${incarnation}-${client}-${at}b`, op);
    }
  }

  /** The same again, when the claim's lease is over and the job still runs: the caller takes it over. */
  async #askAfterLease(region: RegionUnderTest, id: string, op: Operation): Promise<void> {
    this.#clock.jump(LEASE_MS);
    this.#note({ e: 'jumped', offsetMs: this.#clock.offsetMs });
    await this.#ask(region, id, op);
  }

  async #ask(region: RegionUnderTest, id: string, op: Operation): Promise<Told> {
    const unique = `${this.#task.incarnation}/${id}`;
    this.#note({ e: 'asked', id: unique, op, atMs: this.#clock.nowMs() });
    const told = await perform(region, op);
    this.#note({ e: 'told', id: unique, told, atMs: this.#clock.nowMs() });
    this.#reach(`told:${told.is}`);
    return told;
  }

  #note(entry: Entry): void {
    this.#history.append(entry);
    for (const memory of this.#memories) memory.note(entry);
  }

  #reach(boundary: string): void {
    const { kill } = this.#task;
    // Counted among all, leases would be most of them.
    const counts = kill?.boundary === undefined ? !boundary.startsWith('limits.lease') : kill.boundary === boundary;
    if (kill === undefined || !counts) return;
    this.#reached += 1;
    if (this.#reached === kill.nth) this.#die(boundary);
  }

  #die(at: string): never {
    this.#history.append({ e: 'died', at });
    process.kill(process.pid, 'SIGKILL');
    throw new Error('a killed process goes on');
  }
}

await new Victim(JSON.parse(process.argv[2]!) as VictimTask).run();
// Node writes its cache when it exits, which a victim seldom does.
flushCompileCache();
process.exit(0);
