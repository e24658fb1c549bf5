import type { Releases } from '../../core/ports/releases.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { type Fault, override } from './fault.ts';

/** The same, with nothing that holds its model: as if the check and the write were two steps. */
function underAnotherModel(release: Release): Release {
  return { ...release, model: `${release.model}-${release.id}` };
}

export const BROKEN_RELEASES: readonly Fault<Releases>[] = [
  {
    fault: 'says that a change is there before it is on the disk',
    caughtBy: 'keeps a release and what was done to it whole, after a crash too',
    breaks(releases) {
      const early = new Map<string, Release>();
      return override(releases, {
        async write(release) {
          early.set(release.id, release);
        },
        read: async (id) => early.get(id) ?? releases.read(id),
      });
    },
  },
  {
    fault: 'lets whoever comes late overwrite',
    caughtBy: 'writes a change only over the one that it was made from, and its audits only with it',
    breaks: (releases) =>
      override(releases, {
        async write(release, audits) {
          const stored = await releases.read(release.id);
          await releases.write({ ...release, epoch: (stored?.epoch ?? 0) + 1 }, audits);
        },
      }),
  },
  {
    fault: 'reads the epoch and then writes, in two steps',
    caughtBy: 'lets one of several writers at once succeed, and leaves the audits of that one',
    breaks: (releases) =>
      override(releases, {
        async write(release, audits) {
          const stored = await releases.read(release.id);
          if (stored?.epoch !== release.epoch - 1) return releases.write(release, audits);
          await releases.write(release, audits).catch(() => {});
        },
      }),
  },
  {
    fault: 'loses audits of all changes but the first',
    caughtBy: 'lists what was done to a release in the order of its epochs, page by page',
    breaks: (releases) => override(releases, { write: (release) => releases.write(release, []) }),
  },
  {
    fault: 'takes a start of the same name for the same start',
    caughtBy: 'starts no release of a name that is taken, and leaves the one that has it',
    breaks: (releases) =>
      override(releases, {
        async start(release, audits) {
          if ((await releases.read(release.id)) === undefined) await releases.start(release, audits);
        },
      }),
  },
  {
    fault: 'looks whether another is active and then starts, in two steps',
    caughtBy: 'starts one of several releases of a model at once, and nothing of the others',
    breaks: (releases) =>
      override(releases, {
        async start(release, audits) {
          const latest = await releases.readLatest(release.model);
          const isFree = latest === undefined || !isActive(latest);
          await releases.start(isFree ? underAnotherModel(release) : release, audits);
        },
      }),
  },
  {
    fault: 'holds a model for a release that has ended',
    caughtBy: 'leaves a model free for the next release with the write that ends one',
    breaks(releases) {
      const held = new Set<string>();
      return override(releases, {
        async start(release, audits) {
          await releases.start(held.has(release.model) ? { ...release, model: 'held' } : release, audits);
          held.add(release.model);
        },
      });
    },
  },
  {
    fault: 'takes the release that started last for the one that ended last',
    caughtBy: 'lets a release become active again only while no other of its model is',
    breaks: (releases) => override(releases, { readLatest: async (model) => (await releases.list(model, 1)).items[0] }),
  },
  {
    fault: 'takes an end for settled with the write that ends a release',
    caughtBy: 'has a release open until its end is settled, after a crash too',
    breaks: (releases) => override(releases, { listOpen: () => releases.listActive() }),
  },
  {
    fault: 'settles whatever is the latest',
    caughtBy: 'has a release open again that becomes active again, and settles none in place of another',
    breaks(releases) {
      const settled = new Set<string>();
      return override(releases, {
        async settle(release) {
          settled.add(release.model);
        },
        listOpen: async () => (await releases.listOpen()).filter(({ model }) => !settled.has(model)),
      });
    },
  },
  {
    fault: 'lists what came first',
    caughtBy: 'lists releases of a model, the newest first, each once over all pages',
    breaks: (releases) =>
      override(releases, {
        async list(model, limit, cursor) {
          const page = await releases.list(model, limit, cursor);
          return { ...page, items: page.items.toReversed() };
        },
      }),
  },
  {
    fault: 'lists releases of all models as they were when they started',
    caughtBy: 'lists releases of all models, the newest start first, each once over all pages',
    breaks(releases) {
      const started = new Map<string, Release>();
      return override(releases, {
        async start(release, audits) {
          await releases.start(release, audits);
          started.set(release.id, release);
        },
        async listRecent(limit, cursor) {
          const page = await releases.listRecent(limit, cursor);
          return { ...page, items: page.items.map((release) => started.get(release.id) ?? release) };
        },
      });
    },
  },
  {
    fault: 'gives the first page of audits again',
    caughtBy: 'lists what was done to a release in the order of its epochs, page by page',
    breaks: (releases) =>
      override(releases, {
        async listAudits(id, limit, cursor) {
          const page = await releases.listAudits(id, limit, cursor);
          return cursor === undefined ? page : { items: (await releases.listAudits(id, limit)).items, next: page.next };
        },
      }),
  },
];
