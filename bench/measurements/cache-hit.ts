import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenTensor } from '../../models/golden.ts';
import type { Bench } from '../bench.ts';
import { inferRequest } from '../infer-request.ts';
import { runLoad } from '../load.ts';
import { type Measurement, type Row, withDigits } from '../measurement.ts';
import type { PlatformProcess } from '../platform-process.ts';
import { cpuMs, processTree } from '../process-tree.ts';

const MODEL = 'ticket-cached';
const BUDGET_MS = 0.5;
const WARMUP_MS = 2_000;
const SENTENCE = 'The new export is broken again and nobody has answered my ticket for three days. ';

/** What a request holds: a sentence, and 16 KB of text in eight rows. */
const SIZES: readonly { readonly what: string; readonly texts: readonly string[] }[] = [
  { what: 'a sentence', texts: [SENTENCE] },
  { what: '16 KB of text', texts: Array.from({ length: 8 }, (_, row) => `${row} ${SENTENCE.repeat(25)}`) },
];

export const cacheHit: Measurement = {
  name: 'cache',
  summary: 'CPU of an answer that is given again from the response cache, over HTTP, of all processes',
  byDefault: true,
  async run(bench) {
    const folder = await cachedModel(bench);
    return bench.withPlatform(async (platform) => {
      await platform.push(folder);
      const rows: Row[] = [];
      for (const { what, texts } of SIZES) rows.push(await measure(bench, platform, what, texts));
      return rows;
    });
  },
};

async function measure(bench: Bench, platform: PlatformProcess, what: string, data: readonly string[]): Promise<Row> {
  const inputs: GoldenTensor[] = [{ name: 'text', shape: [data.length], datatype: 'BYTES', data: [...data] }];
  const request = inferRequest(MODEL, inputs, platform.apiKeyOf('acme'));
  const load = {
    port: platform.port,
    requests: [request],
    loop: { kind: 'closed', connections: 8 },
    warmupMs: 0,
  } as const;
  await runLoad({ ...load, durationMs: WARMUP_MS });
  await expectHit(platform, request);
  const before = cpuOf(platform);
  const { sent, failed, statuses, perSecond, p50 } = await runLoad({
    ...load,
    durationMs: bench.quick ? 3_000 : 10_000,
  });
  const cpu = (cpuOf(platform) - before) / sent;
  if (failed > 0) throw new Error(`${failed} requests failed: ${JSON.stringify(statuses)}`);
  await expectHit(platform, request);
  return {
    what: `cache hit, ${what}`,
    budget: `≤ ${BUDGET_MS} ms of CPU`,
    measured: `${withDigits(cpu, 3)} ms of CPU; ${withDigits(perSecond, 0)} /s, p50 ${withDigits(p50, 2)} ms with 8 connections`,
    met: cpu <= BUDGET_MS,
    figures: { cpuMs: cpu, perSecond, p50Ms: p50, sent },
  };
}

/** What is measured must be what it says it is. */
async function expectHit(platform: PlatformProcess, { path, headers, body }: ReturnType<typeof inferRequest>) {
  const answer = await fetch(`http://127.0.0.1:${platform.port}${path}`, { method: 'POST', headers, body });
  const cache = answer.headers.get('sluice-cache');
  if (cache !== 'hit') throw new Error(`answered ${answer.status} with Sluice-Cache: ${cache}`);
}

function cpuOf({ pid }: PlatformProcess): number {
  return processTree(pid).reduce((sum, each) => sum + cpuMs(each), 0);
}

/** ticket-sentiment under another name, with a cache. */
async function cachedModel(bench: Bench): Promise<string> {
  const modelPath = await bench.modelPath('ticket-sentiment');
  const copy = join(bench.workFolder, MODEL);
  cpSync(join(modelPath, '..'), copy, { recursive: true });
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...manifest, name: MODEL, cache: { seconds: 3600 } }));
  return copy;
}
