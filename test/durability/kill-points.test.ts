import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../core/units.ts';
import { type CampaignReport, runCampaign } from '../support/durability/campaign.ts';
import type { StoryReport } from '../support/durability/story.ts';

/** `SLUICE_KILL_POINTS=20000 SLUICE_KILL_SEED=5000 npm test -- kill-points` looks further; a story is the same for the same seed. */
const KILLS = Number(process.env.SLUICE_KILL_POINTS ?? 1000);
const FIRST_SEED = Number(process.env.SLUICE_KILL_SEED ?? 1);
/** Two processes on two cores: about 8 kills a second, 1 on a machine that ten others use. */
const LIMIT_MS = 5 * MINUTE_MS + KILLS * 1500;

test('what was answered outlasts kill -9 at every write boundary', { timeout: LIMIT_MS }, async () => {
  const onStory = (report: StoryReport, kills: number) => {
    if (report.verdict.breaches.length > 0) console.error(describeBreaches(report));
    else if (report.seed % 10 === 0) console.log(`${kills} of ${KILLS} kill points`);
  };
  const report = await runCampaign({ firstSeed: FIRST_SEED, kills: KILLS, atOnce: 2 }, onStory);
  console.log(describe(report));
  expect(report.stories.flatMap(({ seed, verdict }) => verdict.breaches.map((each) => ({ seed, ...each })))).toEqual(
    [],
  );
  expect(report.unreached).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(KILLS);
  for (const what of [
    'accepted jobs',
    'keys asked again',
    'cancelled',
    'units granted',
    'cut short',
    'keys',
    'pushes',
    'accepted pushes',
  ]) {
    expect(report.counts.get(what), what).toBeGreaterThan(0);
  }
  // Five kills in a row while the same job runs: the platform then takes the job to be the cause.
  expect(report.counts.get('given up') ?? 0).toBeLessThan(report.counts.get('accepted jobs')! * 0.05);
});

function describe({ kills, seconds, stories, killedAt, counts }: CampaignReport): string {
  const places = [...killedAt].sort(([, a], [, b]) => b - a).map(([at, count]) => `${at} ${count}`);
  const looked = [...counts].map(([what, count]) => `${count} ${what}`);
  return [
    `${kills} kill points in ${stories.length} stories and ${seconds.toFixed(0)} s`,
    `looked at: ${looked.join(', ')}`,
    `killed at: ${places.join(', ')}`,
  ].join('\n');
}

function describeBreaches({ seed, folder, verdict }: StoryReport): string {
  const lines = verdict.breaches.map(({ breach, what }) => `  ${breach}: ${what}`);
  return [`story ${seed} (again: SLUICE_KILL_POINTS=1 SLUICE_KILL_SEED=${seed}; files: ${folder})`, ...lines].join(
    '\n',
  );
}
