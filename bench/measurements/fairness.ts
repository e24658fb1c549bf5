import { type Bench, INTERACTIVE_ENCODER, OPEN_LIMITS } from '../bench.ts';
import { Histogram } from '../histogram.ts';
import { inferRequest } from '../infer-request.ts';
import { type LoadResult, runLoad } from '../load.ts';
import type { OpenLoop } from '../load-spec.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import type { PlatformProcess } from '../platform-process.ts';
import { sleep } from '../statistics.ts';
import { encoderRows } from '../tensors.ts';

const SEQUENCE = 32;
const ACME: OpenLoop = { kind: 'open', everyMs: 50, each: 1, connections: 64 };
/** 2,000 requests/s to acme's 20: about four times what two cores compute. */
const FLOOD: OpenLoop = { kind: 'open', everyMs: 1, each: 2, connections: 512 };
/** The flooder's plan: no rate that matters and acme's weight, but places for half of its connections. */
const FLOOD_LIMITS = { ...OPEN_LIMITS, requests_in_flight: 256 };
/** The longest that a batch may keep a runner busy (manifest's default). */
const BATCH_CAP_MS = 15;
const WARMUP_MS = 2_000;
/** A changed plan is in force within a second. */
const PLAN_SETTLES_MS = 1_500;

type Condition = 'alone' | 'refused' | 'admitted';
type Seen = {
  readonly acme: Histogram;
  failed: number;
  readonly answers: LoadResult['statuses'][];
  readonly floods: LoadResult['statuses'][];
};

export const fairness: Measurement = {
  name: 'fairness',
  summary: "acme's p99 on an encoder with the default batch cap while another tenant sends 100 times its rate",
  byDefault: true,
  async run(bench) {
    const seen = { alone: nothingSeen(), refused: nothingSeen(), admitted: nothingSeen() };
    for (let round = 0; round < (bench.quick ? 1 : 4); round += 1) {
      await bench.withPlatform(async (platform) => {
        await platform.control('PUT', '/plans/bench-flood', { limits: FLOOD_LIMITS });
        for (const condition of ['alone', 'refused', 'admitted'] as const) {
          await under(condition, platform, bench, seen[condition]);
        }
      });
    }
    const alone = seen.alone.acme.quantile(0.99);
    return [
      toRow('refused by its quota', '≤ 1.5 × alone', seen.refused, alone, 1.5 * alone),
      toRow('admitted', `≤ 1.5 × alone + ${BATCH_CAP_MS} ms`, seen.admitted, alone, 1.5 * alone + BATCH_CAP_MS),
    ];
  },
};

function nothingSeen(): Seen {
  return { acme: new Histogram(), failed: 0, answers: [], floods: [] };
}

async function under(condition: Condition, platform: PlatformProcess, bench: Bench, seen: Seen): Promise<void> {
  const durationMs = bench.quick ? 10_000 : 20_000;
  let flood: Promise<LoadResult> | undefined;
  if (condition !== 'alone') {
    await platform.control('PATCH', '/tenants/initech', { plan: condition === 'refused' ? 'free' : 'bench-flood' });
    await sleep(PLAN_SETTLES_MS);
    flood = load(platform, 'initech', FLOOD, durationMs + 2 * WARMUP_MS);
    await sleep(WARMUP_MS);
  }
  const acme = await load(platform, 'acme', ACME, durationMs);
  seen.acme.add(acme.latency);
  seen.failed += acme.failed;
  seen.answers.push(acme.statuses);
  if (flood !== undefined) seen.floods.push((await flood).statuses);
  const flooded = condition === 'alone' ? '' : `, flood ${JSON.stringify(seen.floods.at(-1))}`;
  bench.progress(`${condition}: p99 ${acme.p99.toFixed(1)} ms, ${JSON.stringify(acme.statuses)}${flooded}`);
}

function load(platform: PlatformProcess, tenant: string, loop: OpenLoop, durationMs: number): Promise<LoadResult> {
  const rows = encoderRows(new Array<number>(64).fill(SEQUENCE));
  const requests = rows.map((inputs) => inferRequest(INTERACTIVE_ENCODER, inputs, platform.apiKeyOf(tenant)));
  return runLoad({ port: platform.port, requests, loop, warmupMs: WARMUP_MS, durationMs });
}

function toRow(what: string, budget: string, seen: Seen, aloneMs: number, limitMs: number): Row {
  const p99 = seen.acme.quantile(0.99);
  const failures = seen.failed === 0 ? '' : `; ${seen.failed} of acme's requests FAILED`;
  return {
    what: `a quiet tenant's p99, flood of 100 × its rate ${what}`,
    budget,
    measured: `${withDigits(p99, 1)} ms, alone ${withDigits(aloneMs, 1)} ms${failures}`,
    met: p99 <= limitMs && seen.failed === 0,
    figures: {
      p99Ms: p99,
      p50Ms: seen.acme.quantile(0.5),
      aloneP99Ms: aloneMs,
      limitMs,
      samples: seen.acme.total(),
      statuses: seen.answers,
      floodStatuses: seen.floods,
    },
  };
}
