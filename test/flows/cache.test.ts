import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, firstOutput, texts } from '../support/http-client.ts';
import { withManifest } from '../support/push-model.ts';
import { startRunning } from '../support/running-platform.ts';
import { describeCache } from './cache.flow.ts';

describeCache(startRunning);

const CACHED = withManifest(echoText('cached'), { cache: { seconds: 3600 } });

const ask = (text: string, client: ApiClient) => client.infer('cached', texts('text', text));
const cacheOf = (answer: Answer) => answer.header('sluice-cache');

/** Elsewhere processes know of an erasure later: when what they have in memory is five minutes old. */
test("an answer is forgotten with its tenant's data, and no other's", async () => {
  const running = await startRunning({ models: [CACHED], runners: 1 });
  try {
    const [leaving, staying] = [await running.addTenant('leaving'), await running.addTenant('staying')];
    for (const client of [leaving, staying]) await ask('mine', client);
    expect((await leaving.send('DELETE', '/control/v1/tenants/leaving/data')).status).toBe(204);
    expect(cacheOf(await ask('mine', leaving))).toBe('miss');
    expect(cacheOf(await ask('mine', staying))).toBe('hit');
  } finally {
    await running.end();
  }
});

describe('over a restart', () => {
  test('answers are kept, and what was damaged meanwhile is computed anew', async () => {
    const running = await startRunning({
      models: [CACHED],
      runners: 1,
    });
    const acme = await running.addTenant('acme');
    for (const text of ['kept', 'damaged']) await ask(text, acme);
    await running.stop();
    const database = new DatabaseSync(join(running.dataFolder, 'us', 'region.db'));
    const rows = database.prepare("SELECT id FROM answer WHERE tenant = 'acme'").all() as { id: string }[];
    expect(rows.length).toBeGreaterThan(1);
    database.close();
    const again = await startRunning({ dataFolder: running.dataFolder, runners: 1 });
    try {
      const client = again.client(acme.key);
      expect(cacheOf(await ask('kept', client))).toBe('hit');
      await again.stop();
      const damaging = new DatabaseSync(join(running.dataFolder, 'us', 'region.db'));
      damaging.exec("UPDATE answer SET sealed = zeroblob(length(sealed)) WHERE tenant = 'acme'");
      damaging.close();
    } finally {
      await again.stop();
    }
    const third = await startRunning({ dataFolder: running.dataFolder, runners: 1 });
    try {
      const client = third.client(acme.key);
      const answer = await ask('damaged', client);
      expect([cacheOf(answer), firstOutput(answer)]).toEqual(['miss', ['damaged']]);
      expect(cacheOf(await ask('damaged', client))).toBe('hit');
      expect(third.logLines.filter((line) => line.includes('a kept answer could not be read'))).toHaveLength(1);
    } finally {
      await third.stop();
      await running.end();
    }
  });
});
