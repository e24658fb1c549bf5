import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, int64s, texts } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const ASYNC = { prefer: 'respond-async' };

let folder: string;
let running: RunningPlatform;
let acme: ApiClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-damage-'));
  const alone = withManifest(slowModel(), { batching: { maxRows: 1 }, timeoutMs: 60_000 });
  running = await startRunning({ dataFolder: folder, models: ['row-sum', 'ticket-sentiment', alone], runners: 1 });
  acme = await running.addTenant('acme');
});

afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a bad disk does while nobody looks; then the platform starts again. */
async function whileStopped(harm: () => void): Promise<void> {
  await running.stop();
  harm();
  running = await startRunning({ dataFolder: folder, runners: 1 });
  acme = running.client(acme.key);
}

function idOf(accepted: Answer): string {
  expect(accepted.status, accepted.text).toBe(202);
  return accepted.json<{ id: string }>().id;
}

/** Turns one bit of what is stored of a job. */
function flipBit(job: string): void {
  const database = new DatabaseSync(join(folder, 'us', 'region.db'));
  const row = database.prepare('SELECT sealed FROM job_payload WHERE id = ?').get(job) as { sealed: Uint8Array };
  const sealed = Buffer.from(row.sealed);
  sealed[sealed.length >> 1]! ^= 1;
  const { changes } = database.prepare('UPDATE job_payload SET sealed = ? WHERE id = ?').run(sealed, job);
  database.close();
  expect(changes).toBe(1);
}

async function artifactOf(model: string): Promise<string> {
  const { registry } = running.region().platform;
  const version = await registry.readVersion(model, (await registry.readRoute(model))!.stable!);
  return join(folder, 'us', 'artifacts', version!.modelDigest);
}

describe('a stored row that was damaged', () => {
  test('fails its own prediction clearly; every other one is answered', async () => {
    const ended = [1, 2].map((value) => acme.infer('row-sum', fourOf(value), { headers: ASYNC }));
    const [bad, good] = (await Promise.all(ended)).map(idOf);
    for (const id of [bad, good]) expect((await acme.result(`/v2/predictions/${id}`)).status).toBe(200);
    // One runner: the later ones still wait when it stops.
    const waiting: string[] = [];
    for (let i = 0; i < 4; i += 1)
      waiting.push(idOf(await acme.infer('slow', int64s('rounds', 800 + i), { headers: ASYNC })));
    await whileStopped(() => [bad!, waiting[2]!].forEach(flipBit));
    expectProblem(await acme.get(`/v2/predictions/${bad}`), 'record-damaged');
    expect(firstOutput(await acme.get(`/v2/predictions/${good}`))).toEqual([8]);
    for (const [i, id] of waiting.entries()) {
      const answer = await acme.result(`/v2/predictions/${id}`);
      if (i === 2) expectProblem(answer, 'record-damaged');
      else expect(firstOutput(answer), answer.text).toEqual([800 + i]);
    }
    expect(running.logLines.join()).toContain(waiting[2]);
    expect(firstOutput(await acme.infer('row-sum', fourOf(3)))).toEqual([12]);
  });
});

describe('a model file', () => {
  test('that is damaged fails its model clearly, and no other; pushing it again mends it', async () => {
    const path = await artifactOf('row-sum');
    const bytes = readFileSync(path);
    await whileStopped(() => writeFileSync(path, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1)));
    expectProblem(await acme.infer('row-sum', fourOf(1)), 'artifact-damaged');
    const accepted = idOf(await acme.infer('row-sum', fourOf(1), { headers: ASYNC }));
    expectProblem(await acme.result(`/v2/predictions/${accepted}`), 'artifact-damaged');
    expect(firstOutput(await acme.infer('ticket-sentiment', texts('text', 'thank you')))).toHaveLength(1);
    expect((await running.push('row-sum')).version).toBe('1');
    expect(firstOutput(await acme.infer('row-sum', fourOf(1)))).toEqual([4]);
  });

  test('that is missing fails its model clearly, and no other; pushing it again mends it', async () => {
    const path = await artifactOf('row-sum');
    await whileStopped(() => rmSync(path));
    expectProblem(await acme.infer('row-sum', fourOf(2)), 'artifact-missing');
    expect(firstOutput(await acme.infer('ticket-sentiment', texts('text', 'thank you')))).toHaveLength(1);
    await running.push('row-sum');
    expect(firstOutput(await acme.infer('row-sum', fourOf(2)))).toEqual([8]);
  });

  test('that goes missing while a runner has it is not missed', async () => {
    rmSync(await artifactOf('row-sum'));
    expect(firstOutput(await acme.infer('row-sum', fourOf(3)))).toEqual([12]);
  });
});
