import { readSampleCredentials } from '../../bin/client.ts';
import { SAMPLE_MODELS } from '../../models/catalogue.ts';
import { stopChild } from '../child.ts';
import { inferRequest } from '../infer-request.ts';
import type { LoadRequest } from '../load-spec.ts';
import { type Measurement, spread } from '../measurement.ts';
import { freePortPair, spawnSluice } from '../platform-process.ts';
import { median, sleep } from '../statistics.ts';

const MODEL = 'ticket-sentiment';
const INPUTS = SAMPLE_MODELS.find((sample) => sample.name === MODEL)!.example.inputs;
const BUDGET_S = 3;
const GIVE_UP_S = 30;

export const startTime: Measurement = {
  name: 'start',
  summary: 'from spawning `sluice start` on a folder that was started before to the first prediction',
  byDefault: true,
  async run(bench) {
    const folder = await bench.preparedFolder();
    const { tenants } = await readSampleCredentials(folder);
    const key = tenants.find((each) => each.tenant === 'acme')!.apiKey;
    const seconds: number[] = [];
    for (let count = 0; count < (bench.quick ? 2 : 5); count += 1) {
      const port = await freePortPair();
      const startMs = performance.now();
      const child = spawnSluice(folder, port);
      try {
        await untilAnswered(port, inferRequest(MODEL, INPUTS, key));
        seconds.push((performance.now() - startMs) / 1_000);
      } finally {
        await stopChild(child, 'SIGTERM', 20_000);
      }
    }
    return [
      {
        what: 'start to first prediction, warm disk',
        budget: `median ≤ ${BUDGET_S} s`,
        measured: `${spread(seconds, median(seconds), 2)} s`,
        met: median(seconds) <= BUDGET_S,
        figures: { seconds },
      },
    ];
  },
};

async function untilAnswered(port: number, { method, path, headers, body }: LoadRequest): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_S * 1_000;
  while (performance.now() < deadlineMs) {
    const status = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body }).then(
      (response) => response.text().then(() => response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
  throw new Error(`no prediction within ${GIVE_UP_S} s`);
}
