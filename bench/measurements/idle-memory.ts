import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import { inferRequest } from '../infer-request.ts';
import { runLoad } from '../load.ts';
import type { Measurement } from '../measurement.ts';
import { memoryBytes, processTree } from '../process-tree.ts';
import { sleep } from '../statistics.ts';

const MODEL = 'ticket-sentiment';
const INPUTS = SAMPLE_MODELS.find((sample) => sample.name === MODEL)!.example.inputs;
const BUDGET_MB = 350;

export const idleMemory: Measurement = {
  name: 'memory',
  summary: 'all processes of a first start after a minute of light use, idle',
  byDefault: true,
  async run(bench) {
    const platform = await bench.startFirstPlatform();
    try {
      const requests = [inferRequest(MODEL, INPUTS, platform.apiKeyOf('acme'))];
      const loop = { kind: 'open', everyMs: 50, each: 1, connections: 4 } as const;
      const durationMs = bench.quick ? 5_000 : 60_000;
      const load = await runLoad({ port: platform.port, requests, loop, warmupMs: 0, durationMs });
      if (load.failed > 0) throw new Error(`${load.failed} requests failed: ${JSON.stringify(load.statuses)}`);
      await sleep(5_000);
      const pids = processTree(platform.pid);
      const megabytes = memoryBytes(pids) / 1024 / 1024;
      const each = pids.map((pid) => Math.round(memoryBytes([pid]) / 1024 / 1024)).filter((size) => size > 0);
      return [
        {
          what: 'memory of all processes, idle, ticket-sentiment loaded (summed PSS)',
          budget: `≤ ${BUDGET_MB} MB`,
          measured: `${megabytes.toFixed(0)} MB (${each.join(' + ')})`,
          met: megabytes <= BUDGET_MB,
          figures: { megabytes, each },
        },
      ];
    } finally {
      await platform.stop();
    }
  },
};
