import { BOUNDARIES } from './boundaries.ts';
import { runStory, type StoryPlan, type StoryReport } from './story.ts';

export type CampaignReport = {
  readonly stories: readonly StoryReport[];
  readonly kills: number;
  /** How often each boundary was where a process ended, `outside` too. */
  readonly killedAt: ReadonlyMap<string, number>;
  readonly unreached: readonly string[];
  readonly seconds: number;
  /** Sums over all stories. */
  readonly counts: ReadonlyMap<string, number>;
};

/** Runs stories, a few at a time, until so many processes were killed and every boundary was met, or something was found. */
export async function runCampaign(
  options: {
    readonly firstSeed: number;
    readonly kills: number;
    readonly atOnce: number;
  },
  onStory: (report: StoryReport, kills: number) => void,
): Promise<CampaignReport> {
  const startMs = performance.now();
  const stories: StoryReport[] = [];
  const killedAt = new Map<string, number>();
  let kills = 0;
  let seed = options.firstSeed;
  const isDone = () =>
    stories.some(({ verdict }) => verdict.breaches.length > 0) ||
    (kills >= options.kills && (options.kills < ALL_MET || BOUNDARIES.every((boundary) => killedAt.has(boundary))));
  const next = (): StoryPlan | undefined => {
    if (isDone()) return undefined;
    seed += 1;
    return { seed: seed - 1, incarnations: INCARNATIONS };
  };
  const lane = async () => {
    for (let plan = next(); plan !== undefined; plan = next()) {
      const report = await runStory(plan);
      stories.push(report);
      kills += report.killedAt.length;
      for (const at of report.killedAt) killedAt.set(at, (killedAt.get(at) ?? 0) + 1);
      onStory(report, kills);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, lane));
  return {
    stories,
    kills,
    killedAt,
    unreached: BOUNDARIES.filter((boundary) => !killedAt.has(boundary)),
    seconds: (performance.now() - startMs) / 1000,
    counts: sums(stories),
  };
}

/** Fewer kills are a look at some seeds, not at all boundaries. */
const ALL_MET = 1000;
/** Processes of one story: its history is still short enough to be checked in a second. */
const INCARNATIONS = 26;

function sums(stories: readonly StoryReport[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { verdict } of stories) {
    for (const [what, count] of Object.entries(verdict.counts)) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  return counts;
}
