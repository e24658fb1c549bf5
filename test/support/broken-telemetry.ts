import type { Telemetries, TelemetryItem } from '../../core/ports/telemetry.ts';
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
];
