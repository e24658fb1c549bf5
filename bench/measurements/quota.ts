import { takeUnits } from '../../core/tenancy/gcra.ts';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import { type Bench, OPEN_LIMITS } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import type { ClosedLoop, OpenLoop, TracedRequest } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import type { PlatformProcess } from '../platform-process.ts';
import { sleep } from '../statistics.ts';

const INPUTS = SAMPLE_MODELS.find((sample) => sample.name === 'row-sum')!.example.inputs;
const CALLERS = 1_000;
const PLAN_SETTLES_MS = 1_500;

type Rate = { readonly perSecond: number; readonly burst: number };

/** As the plan `pro`: 1,000 callers ask about a hundred times as much as it grants. */
const PRO: Rate = { perSecond: 200, burst: 400 };
const EVERYONE: ClosedLoop = { kind: 'closed', connections: CALLERS };
/** 1,000/s of 1,250/s, evenly: a burst of a tenth of the plans', in which a block held by a host weighs ten times as much. */
const EVEN: Rate = { perSecond: 1_250, burst: 250 };
const EVENLY: OpenLoop = { kind: 'open', everyMs: 1, each: 1, connections: CALLERS };
/** All callers at one moment, once a second, 80 % of what there is: the hardest case for units handed out in blocks. */
const PULSED: Rate = { perSecond: 1_250, burst: 1_250 };
const ALL_AT_ONCE: OpenLoop = { kind: 'open', everyMs: 1_000, each: CALLERS, connections: CALLERS };

export const quota: Measurement = {
  name: 'quota',
  summary: '1,000 concurrent callers on one quota: grants over the limit, and wrong refusals at 80 % load',
  byDefault: true,
  run: (bench) => bench.withPlatform((platform) => measure(bench, platform)),
};

async function measure(bench: Bench, platform: PlatformProcess): Promise<Row[]> {
  const durationMs = bench.quick ? 4_000 : 10_000;
  const flooded = await underQuota(platform, PRO, EVERYONE, durationMs);
  const even = await underQuota(platform, EVEN, EVENLY, durationMs);
  const pulsed = await underQuota(platform, PULSED, ALL_AT_ONCE, durationMs);
  await platform.control('PATCH', '/tenants/acme', { plan: 'bench' });
  const granted = flooded.trace.filter((request) => request.status < 300);
  const over = unitsOver(PRO, granted);
  const refused = [wrongShare(EVEN, even), wrongShare(PULSED, pulsed)];
  const worst = Math.max(...refused);
  return [
    {
      what: `grants over the limit, ${CALLERS} concurrent callers, any window`,
      budget: '0',
      measured: `${over} (${withDigits(granted.length, 0)} granted of ${withDigits(flooded.sent, 0)})`,
      met: over === 0 && granted.length > 0,
      figures: { over, granted: granted.length, statuses: flooded.statuses, rate: PRO },
    },
    {
      what: 'wrongly refused at 80 % load',
      budget: '≤ 2 %',
      measured: refused
        .map((share, at) => `${['evenly', 'all at once'][at]} ${withDigits(share * 100, 2)} %`)
        .join(', '),
      met: worst <= 0.02,
      figures: { evenly: even.statuses, allAtOnce: pulsed.statuses },
    },
  ];
}

async function underQuota(
  platform: PlatformProcess,
  rate: Rate,
  loop: ClosedLoop | OpenLoop,
  durationMs: number,
): Promise<LoadResult> {
  const limits = { ...OPEN_LIMITS, requests_per_second: rate.perSecond, request_burst: rate.burst };
  await platform.control('PUT', '/plans/bench-quota', { limits });
  await platform.control('PATCH', '/tenants/acme', { plan: 'bench-quota' });
  await sleep(PLAN_SETTLES_MS);
  const requests = [inferRequest('row-sum', INPUTS, platform.apiKeyOf('acme'))];
  return runLoad({ port: platform.port, requests, loop, warmupMs: 0, durationMs, trace: true });
}

/**
 * The most units by which any window exceeds `burst + rate × length`. A grant was made between sending and answer,
 * so whatever was sent and answered within a window was granted in it: more than the limit there proves a breach.
 */
function unitsOver({ perSecond, burst }: Rate, granted: readonly TracedRequest[]): number {
  const byAnswer = granted.toSorted((a, b) => a.answeredMs - b.answeredMs);
  let worst = 0;
  for (const { sentMs: fromMs } of granted) {
    let units = 0;
    for (const { sentMs, answeredMs } of byAnswer) {
      if (sentMs < fromMs) continue;
      units += 1;
      worst = Math.max(worst, units - burst - ((answeredMs - fromMs) * perSecond) / 1_000);
    }
  }
  return Math.floor(worst);
}

/** Refusals beyond those of an exact bucket that gets the same requests when they were sent, as a share of all. */
function wrongShare({ perSecond, burst }: Rate, { trace, sent }: LoadResult): number {
  const policy = { ratePerMs: perSecond / 1_000, burst };
  let tatMs = 0;
  let due = 0;
  let refused = 0;
  for (const { sentMs, status } of trace.toSorted((a, b) => a.sentMs - b.sentMs)) {
    const answer = takeUnits(policy, tatMs, 1, 1, sentMs);
    tatMs = answer.tatMs;
    if (answer.granted === 0) due += 1;
    if (status === 429) refused += 1;
  }
  return Math.max(0, refused - due) / sent;
}
