import {
  type Case,
  canaryPlan,
  defaultPlan,
  first500,
  IDENTICAL,
  rateBounds,
  simulate,
  TWENTY_TIMES_THE_ERRORS,
  TWICE_THE_LATENCY,
  whole,
} from './release-rates.ts';

/**
 * How often releases of a kind are rolled back, over many more simulated ones than a test has time for:
 * `node bench/release-simulation.ts [runs of each] [seed] [part of a name]`.
 */
const [runs, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const part = process.argv[4] ?? '';

const CASES: readonly Case[] = [
  whole('identical, default plan', defaultPlan(), IDENTICAL),
  first500('2 % errors, default plan', defaultPlan(), TWENTY_TIMES_THE_ERRORS),
  first500('2 % errors, 5 % of users', canaryPlan(5, 'user'), TWENTY_TIMES_THE_ERRORS),
  first500('2 % errors, 5 % of requests', canaryPlan(5, 'request'), TWENTY_TIMES_THE_ERRORS),
  first500('2 % errors, 5 % of tenants', canaryPlan(5, 'tenant'), TWENTY_TIMES_THE_ERRORS),
  first500('twice the latency, default plan', defaultPlan(), TWICE_THE_LATENCY),
  first500('twice the latency, 5 % of users', canaryPlan(5, 'user'), TWICE_THE_LATENCY),
  first500('twice the latency, 5 % of requests', canaryPlan(5, 'request'), TWICE_THE_LATENCY),
  first500('twice the latency, 5 % of tenants', canaryPlan(5, 'tenant'), TWICE_THE_LATENCY),
];

for (const one of CASES.filter(({ name }) => name.includes(part))) {
  const ended = simulate(one, runs, seed);
  const aborted = ended.filter(({ kind }) => kind === 'aborted').length;
  const held = ended.filter(({ kind }) => kind === 'held').length;
  const { least, most } = rateBounds(aborted, runs);
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  console.log(
    `${one.name}: ${aborted} of ${runs} rolled back (${percent(least)} to ${percent(most)} with 95 % each side), ${held} left undecided`,
  );
  if (one.truth === IDENTICAL) for (const end of ended) if (end.kind === 'aborted') console.log(`  ${end.why}`);
}
