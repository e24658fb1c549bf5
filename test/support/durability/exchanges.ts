import type { Entry, Kind, Operation, Told } from './history.ts';

/** One question of a client and what it was told, if it was. `asked` and `answered` are places in the history. */
export type Exchange<K extends Kind = Kind> = {
  readonly op: Operation<K>;
  readonly asked: number;
  readonly askedMs: number;
  answered: number | undefined;
  answeredMs: number | undefined;
  told: Told | undefined;
};

/** The history as its reader sees it. */
export class Exchanges {
  readonly all: readonly Exchange[];
  /** Where in the history processes ended without having been told to. */
  readonly #kills: readonly number[];

  constructor(entries: readonly Entry[]) {
    const byId = new Map<string, Exchange>();
    const kills: number[] = [];
    let wasClosed = true;
    for (const [at, entry] of entries.entries()) {
      if (entry.e === 'started') {
        if (!wasClosed) kills.push(at);
        wasClosed = false;
      } else if (entry.e === 'closed') wasClosed = true;
      else if (entry.e === 'asked') byId.set(entry.id, unanswered(entry.op, at, entry.atMs));
      else if (entry.e === 'told') {
        const exchange = byId.get(entry.id)!;
        Object.assign(exchange, { told: entry.told, answered: at, answeredMs: entry.atMs });
      }
    }
    if (!wasClosed) kills.push(entries.length);
    this.all = [...byId.values()];
    this.#kills = kills;
  }

  of<K extends Kind>(...kinds: readonly K[]): Exchange<K>[] {
    const wanted = new Set<string>(kinds);
    return this.all.filter((exchange): exchange is Exchange<K> => wanted.has(exchange.op.kind));
  }

  /** Erasures and removals of a tenant that were asked for after a place in the history: how the surest of them ended. */
  erasedAfter(tenant: string, at: number): 'no' | 'maybe' | 'yes' {
    const erasures = this.of('erase-tenant', 'remove-tenant').filter(
      ({ op, asked }) => op.tenant === tenant && asked > at,
    );
    if (erasures.length === 0) return 'no';
    return erasures.some(({ told }) => told?.is === 'done') ? 'yes' : 'maybe';
  }

  /** How many erasures of a tenant were asked for before. */
  erasuresBefore(tenant: string, at: number): number {
    const erasures = this.of('erase-tenant', 'remove-tenant');
    return erasures.filter(({ op, asked }) => op.tenant === tenant && asked < at).length;
  }

  killsAfter(at: number): number {
    return this.#kills.filter((kill) => kill > at).length;
  }
}

function unanswered(op: Operation, asked: number, askedMs: number): Exchange {
  return { op, asked, askedMs, answered: undefined, answeredMs: undefined, told: undefined };
}
