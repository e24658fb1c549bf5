import { text } from 'node:stream/consumers';
import { epochMs } from './statistics.ts';

/** Uses `share` of one core from the start until `endAtMs`: what a load generator would take from the same cores. */
export type BurnSpec = { readonly share: number; readonly endAtMs: number };

const TICK_MS = 2;

const { share, endAtMs } = JSON.parse(await text(process.stdin)) as BurnSpec;
const startMs = performance.now();
const usedMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const usedBeforeMs = usedMs();

function tick(): void {
  while (usedMs() - usedBeforeMs < (performance.now() - startMs) * share) Math.sqrt(performance.now());
  if (epochMs() < endAtMs) setTimeout(tick, TICK_MS);
  else process.stdout.write(JSON.stringify({ cpuMs: usedMs() - usedBeforeMs }), () => process.exit(0));
}

tick();
