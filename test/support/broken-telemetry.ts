import type { RolledUntil, Telemetries, TelemetryItem } from '../../core/ports/telemetry.ts';
import { mergeTelemetry } from '../../core/quality/telemetry.ts';
import { DAY_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_TELEMETRY: readonly Fault<Telemetries>[] = [
  {
    fault: 'keeps reports in memory alone',
    caughtBy: 'gives back what was appended, every number of it, after a crash too; nothing of what nobody wrote',
    breaks(telemetry) {
      const kept: TelemetryItem[] = [];
      return override(telemetry, {
        async append(items) {
          kept.push(...items);
        },
        read: async () =>
          mergeTelemetry(
            kept.map((item) => item.telemetry),
            'r1',
          ),
      });
    },
  },
  {
    fault: 'reads one shard only',
    caughtBy: 'merges the reports of all writers and shards, in whatever order they came',
    breaks: (telemetry) =>
      override(telemetry, { append: (items) => telemetry.append(items.filter(({ shard }) => shard < 8)) }),
  },
  {
    fault: 'counts a report again that was appended again',
    caughtBy: 'finds a report that was appended again, alone or with others, once',
    breaks(telemetry) {
      let appended = 0;
      return override(telemetry, {
        append(items) {
          appended += 1;
          return telemetry.append(items.map((item) => ({ ...item, writer: `${item.writer} ${appended}` })));
        },
      });
    },
  },
  {
    fault: 'takes the sequences of all writers for those of one',
    caughtBy: 'keeps apart reports that differ in one part of their name',
    breaks: (telemetry) =>
      override(telemetry, { append: (items) => telemetry.append(items.map((item) => ({ ...item, writer: 'w' }))) }),
  },
  {
    fault: 'reads the window that starts at the end too',
    caughtBy: 'reads the windows that start in a range: its start is in it, its end is not, over midnights too',
    breaks: (telemetry) =>
      override(telemetry, {
        read: (model, version, fromMs, untilMs, release) =>
          telemetry.read(model, version, fromMs, untilMs + 1, release),
      }),
  },
  {
    fault: "reads of the last window's day only",
    caughtBy: 'reads the windows that start in a range: its start is in it, its end is not, over midnights too',
    breaks: (telemetry) =>
      override(telemetry, {
        read: (model, version, fromMs, untilMs, release) =>
          telemetry.read(model, version, Math.max(fromMs, untilMs - DAY_MS), untilMs, release),
      }),
  },
  {
    fault: 'mixes the cohorts of all releases',
    caughtBy: 'says of releases only what the one named has seen',
    breaks: (telemetry) =>
      override(telemetry, {
        append: (items) =>
          telemetry.append(
            items.map((item) => {
              const { release } = item.telemetry;
              if (release === undefined) return item;
              return { ...item, telemetry: { ...item.telemetry, release: { ...release, release: 'r2' } } };
            }),
          ),
      }),
  },
  {
    fault: 'goes on showing what has expired',
    caughtBy: 'forgets a report fourteen days after its window, not before, and purges those and no others',
    breaks: (telemetry) =>
      override(telemetry, {
        append: (items) =>
          telemetry.append(items.map((item) => ({ ...item, windowStartMs: item.windowStartMs + DAY_MS }))),
        read: (model, version, fromMs, untilMs, release) =>
          telemetry.read(model, version, fromMs, untilMs + DAY_MS, release),
      }),
  },
  {
    fault: 'purges too early',
    caughtBy: 'forgets a report fourteen days after its window, not before, and purges those and no others',
    breaks: (telemetry) => override(telemetry, { purge: (nowMs) => telemetry.purge(nowMs + DAY_MS) }),
  },
  {
    fault: 'takes twenty-five reports of an append',
    caughtBy: 'holds the hundred largest reports of one append',
    breaks: (telemetry) => override(telemetry, { append: (items) => telemetry.append(items.slice(0, 25)) }),
  },
  {
    fault: 'names versions of every day',
    caughtBy:
      'names the versions that were reported of in a span, each once, after a crash too, and none of another day',
    breaks: (telemetry) =>
      override(telemetry, {
        activeVersions: (fromMs, untilMs) => telemetry.activeVersions(fromMs - 3 * DAY_MS, untilMs + 3 * DAY_MS),
      }),
  },
  {
    fault: 'reads the window that starts at the end of a series too',
    caughtBy: 'gives a series in steps from the start of the span on, those of nothing left out, without releases',
    breaks: (telemetry) =>
      override(telemetry, {
        series: (model, version, fromMs, untilMs, stepMs) =>
          telemetry.series(model, version, fromMs, untilMs + 1, stepMs),
      }),
  },
  {
    fault: 'begins steps at whole multiples of their length',
    caughtBy: 'gives a series in steps from the start of the span on, those of nothing left out, without releases',
    breaks: (telemetry) =>
      override(telemetry, {
        series: (model, version, fromMs, untilMs, stepMs) =>
          telemetry.series(model, version, fromMs - (fromMs % stepMs), untilMs, stepMs),
      }),
  },
  {
    fault: 'keeps the roll-up that comes last',
    caughtBy: 'keeps of two roll-ups of one name the one of more reports, whoever is last, after a crash too',
    breaks(telemetry) {
      let reports = 0;
      return override(telemetry, {
        keepRollUps(rollUps) {
          reports += 1;
          return telemetry.keepRollUps(rollUps.map((rollUp) => ({ ...rollUp, reports: 100 + reports })));
        },
        readRollUps: async (...asked) =>
          (await telemetry.readRollUps(...asked)).map((rollUp) => ({ ...rollUp, reports: 2 })),
      });
    },
  },
  {
    fault: 'reads the roll-up that starts at the end too',
    caughtBy: 'keeps of two roll-ups of one name the one of more reports, whoever is last, after a crash too',
    breaks: (telemetry) =>
      override(telemetry, {
        readRollUps: (span, model, version, fromMs, untilMs) =>
          telemetry.readRollUps(span, model, version, fromMs, untilMs + 1),
      }),
  },
  {
    fault: 'reads a series from reports alone',
    caughtBy:
      'reads hours and minutes from roll-ups as far as the region is rolled up, and what is older or younger from reports',
    breaks: (telemetry) =>
      override(telemetry, {
        markRolled: async () => {},
      }),
  },
  {
    fault: 'is rolled up as far as it was told last',
    caughtBy: 'is rolled up further, never back, from where it was begun, after a crash too',
    breaks(telemetry) {
      let told: RolledUntil | undefined;
      return override(telemetry, {
        async markRolled(until) {
          told = until;
          await telemetry.markRolled(until);
        },
        rolledUntil: async () => told,
      });
    },
  },
  {
    fault: 'leaves reports that come late out of minutes that were rolled up',
    caughtBy: 'comes to what the reports say when two roll up at once, again and again, reports coming late meanwhile',
    breaks(telemetry) {
      const kept = new Set<string>();
      return override(telemetry, {
        keepRollUps(rollUps) {
          const named = rollUps.map((rollUp) => ({
            rollUp,
            name: `${rollUp.model}@${rollUp.version} ${rollUp.startMs}`,
          }));
          const fresh = named.filter(({ rollUp, name }) => rollUp.span === 'hour' || !kept.has(name));
          for (const { name } of named) kept.add(name);
          return telemetry.keepRollUps(fresh.map(({ rollUp }) => rollUp));
        },
      });
    },
  },
  {
    fault: 'forgets hours with the minutes',
    caughtBy: 'forgets minutes after fifteen days and hours after four hundred, not before',
    breaks: (telemetry) =>
      override(telemetry, {
        readRollUps: async (span, ...asked) =>
          span === 'hour' && (await telemetry.readRollUps('minute', ...asked)).length === 0
            ? []
            : telemetry.readRollUps(span, ...asked),
      }),
  },
];
