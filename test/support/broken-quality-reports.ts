import type { QualityReports } from '../../core/ports/quality-reports.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_QUALITY_REPORTS: readonly Fault<QualityReports>[] = [
  {
    fault: 'writes whatever epoch is given',
    caughtBy: 'writes the next epoch and no other, and of a state that is refused no window',
    breaks: (reports) =>
      override(reports, {
        async writeState(state, judged) {
          const stored = await reports.readState(state.model, state.version);
          return reports.writeState({ ...state, epoch: (stored?.epoch ?? 0) + 1 }, judged);
        },
      }),
  },
  {
    fault: 'tells every writer that it wrote',
    caughtBy: 'of many writers of one epoch one writes, and its windows alone are there',
    breaks: (reports) =>
      override(reports, {
        async writeState(state, judged) {
          await reports.writeState(state, judged);
          return true;
        },
      }),
  },
  {
    fault: 'keeps no windows',
    caughtBy: 'reads a state and its windows as they were written, after a crash too, of that version alone',
    breaks: (reports) => override(reports, { writeState: (state) => reports.writeState(state, []) }),
  },
  {
    fault: 'lists the oldest windows first',
    caughtBy: 'lists windows the newest first, as many as are asked for, one for each end',
    breaks: (reports) =>
      override(reports, {
        listWindows: async (model, version, limit) =>
          (await reports.listWindows(model, version, 1000)).toReversed().slice(0, limit),
      }),
  },
  {
    fault: 'gives one reference to all versions',
    caughtBy: 'keeps a reference whole and replaces it, of that version alone',
    breaks: (reports) => override(reports, { readReference: (model) => reports.readReference(model, '1') }),
  },
  {
    fault: 'shows summaries as they were first',
    caughtBy: 'lists a summary of every version, as its state is now',
    breaks(reports) {
      const first = new Map<string, Awaited<ReturnType<QualityReports['listSummaries']>>[number]>();
      return override(reports, {
        async writeState(state, judged) {
          const wrote = await reports.writeState(state, judged);
          for (const each of await reports.listSummaries()) if (!first.has(each.model)) first.set(each.model, each);
          return wrote;
        },
        listSummaries: async () => [...first.values()],
      });
    },
  },
  {
    fault: 'forgets nothing',
    caughtBy: 'forgets a window and a state at their times, gone or not, and begins anew after them',
    breaks(reports) {
      const windows = new Map<string, Awaited<ReturnType<QualityReports['listWindows']>>>();
      return override(reports, {
        async listWindows(model, version, limit) {
          const found = await reports.listWindows(model, version, limit);
          if (found.length > 0) windows.set(`${model}@${version}`, found);
          return windows.get(`${model}@${version}`) ?? [];
        },
      });
    },
  },
];
