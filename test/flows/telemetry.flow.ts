import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { Confidence } from '../../core/quality/confidence.ts';
import type { ManifestFile } from '../../models/model-folder.ts';
import { countBy } from '../contract/contract.ts';
import { CUE, crashOnCue, idLookup, type ModelFiles } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, fourOf, type InferJson, int64s, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Windows are 5 s, and what was recorded then is written at their end. */
const WRITTEN_WITHIN_MS = 15_000;
/** Ids of the lookup's table are below ten. */
const OUTSIDE = 12;

/** What versions are said to have done. */
export function describeTelemetry(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let acme: ApiClient;
  let globex: ApiClient;
  /** Of the rows of ticket-sentiment, as callers were told. */
  const labels: string[] = [];
  const confidences: number[] = [];

  // All is asked before anything is read: it is written together, and waited for once.
  beforeAll(async () => {
    const breaker = { minRequests: 5, windowS: 60, openS: 60, probes: 2 };
    running = await start({
      models: [
        'ticket-sentiment',
        withManifest(echoText('cached'), { cache: { seconds: 3600 } }),
        as(idLookup(), { name: 'failing', breaker }),
        as(crashOnCue(), { name: 'crashing', fallback: { outputs: { y: [-1] } } }),
      ],
      runners: 1,
    });
    acme = await running.addTenant('acme');
    globex = await running.addTenant('globex');
    await askSentiments();
    for (const client of [acme, acme, globex, acme]) await client.infer('cached', texts('text', 'again'));
    await askUntilRefused();
    expect(degraded(await acme.infer('crashing', int64s('n', 2)))).toEqual([200, undefined]);
    expect(degraded(await acme.infer('crashing', int64s('n', CUE.crash)))).toEqual([200, 'failed']);
  }, 60_000);

  afterAll(() => running.end());

  function as(files: ModelFiles, changes: Partial<ManifestFile> & { name: string }): ModelFiles {
    return { ...files, manifest: { ...files.manifest, ...changes } };
  }

  /** So many at once that none of the processes that may have counted something is left out. */
  async function wakeHandlers(): Promise<void> {
    const answers = await Promise.all(Array.from({ length: 8 }, () => acme.infer('no-such-model', fourOf(1))));
    for (const answer of answers) expectProblem(answer, 'model-unknown');
  }

  /**
   * What is to be seen of version 1 once all is written: workers and handlers write apart, a frozen handler with its next request.
   * @param fallbacks counted by handlers, of requests that a worker may have counted long before
   */
  async function seen(model: string, requests: number, fallbacks = 0): Promise<Telemetry> {
    const { telemetry, clock } = running.region().platform;
    const read = () => telemetry.read(model, '1', 0, clock.nowMs() + 1);
    await vi.waitFor(
      async () => {
        await wakeHandlers();
        const written = await read();
        expect(written.requests).toBeGreaterThanOrEqual(requests);
        expect(written.fallbacks).toBeGreaterThanOrEqual(fallbacks);
      },
      { timeout: WRITTEN_WITHIN_MS, interval: 250 },
    );
    return read();
  }

  async function askSentiments(): Promise<void> {
    const asked: [ApiClient, string[]][] = [
      [acme, ['Thank you so much, this works perfectly!']],
      [acme, ['This is broken again and I am furious.', 'It is the third item of the list.']],
      [globex, ['I hate it.']],
      [globex, ['What a great help!']],
      [globex, ['It is on page two.']],
    ];
    for (const [client, batch] of asked) {
      const answer = await client.infer('ticket-sentiment', texts('text', ...batch));
      const [label, probabilities] = answer.json<InferJson>().outputs;
      labels.push(...(label!.data as string[]));
      confidences.push(...greatestOf3(probabilities!.data as number[]));
    }
    // Who asks for the probabilities alone has a label all the same.
    const members = { outputs: [{ name: 'probabilities' }] };
    expect((await acme.infer('ticket-sentiment', texts('text', 'I hate it.'), { members })).status).toBe(200);
    labels.push(labels[3]!);
    confidences.push(confidences[3]!);
  }

  async function askUntilRefused(): Promise<void> {
    for (let at = 0; at < 5; at += 1)
      expectProblem(await globex.infer('failing', ids(OUTSIDE, at)), 'prediction-failed');
    const { capacity, clock } = running.region().platform;
    await vi.waitFor(async () => {
      const [report] = await capacity.read('default', clock.nowMs());
      expect(report!.breakers['failing@1']?.state).toBe('open');
    });
    await clock.sleep(60);
    for (let at = 0; at < 3; at += 1) expectProblem(await globex.infer('failing', ids(1)), 'version-unavailable');
  }

  const ids = (...data: number[]) => [{ name: 'ids', shape: [1, data.length], datatype: 'INT64', data }];
  const degraded = (answer: Answer) => [answer.status, answer.header('sluice-degraded')];
  const greatestOf3 = (shares: number[]) =>
    Array.from({ length: shares.length / 3 }, (_, row) => Math.max(...shares.slice(3 * row, 3 * row + 3)));
  const tenantsOf = ({ tenants }: Telemetry) => Object.fromEntries(tenants.contents().counts);

  test('every prediction of every tenant is counted once, with its label, in milliseconds and rows', async () => {
    const telemetry = await seen('ticket-sentiment', 6);
    const { requests, rows, errors, cacheHits, fallbacks, crashes, latencyMs, queueMs, batchRows } = telemetry;
    expect({ requests, rows, cacheHits, fallbacks, crashes }).toEqual({
      requests: 6,
      rows: 7,
      cacheHits: 0,
      fallbacks: 0,
      crashes: 0,
    });
    expect([...errors]).toEqual([]);
    expect(tenantsOf(telemetry)).toEqual({ acme: 3, globex: 3 });
    expect([latencyMs.count, queueMs.count, batchRows.count, batchRows.sum]).toEqual([6, 6, 6, 7]);
    expect(telemetry.inputElements.sum).toBe(7);
    expect(telemetry.computeMs).toBeGreaterThan(0);
    expect(Object.fromEntries(telemetry.labels.contents().counts)).toEqual(countBy(labels, (label) => label));
    const expected = new Confidence();
    for (const confidence of confidences) expected.add(confidence);
    expect(telemetry.confidence.bins).toEqual(expected.bins);
  });

  test('what the rows that were asked were like is counted too: how long, and of which characters', async () => {
    const { inputs } = await seen('ticket-sentiment', 6);
    const { rows, missing, tooLong, lengths, classes, values } = inputs.get('text')!;
    expect({ inputs: inputs.size, rows, missing, tooLong, lengths: lengths!.count, values }).toEqual({
      inputs: 1,
      rows: 7,
      missing: 0,
      tooLong: 0,
      lengths: 7,
      values: undefined,
    });
    expect(classes!.reduce((sum, count) => sum + count, 0)).toBe(lengths!.sum);
    expect([classes![0]! > 100, classes![2], classes![4]]).toEqual([true, 0, 8]);
  });

  test('answers from the cache are counted as such, and nothing else of them is', async () => {
    const telemetry = await seen('cached', 4);
    const { requests, cacheHits, rows, latencyMs } = telemetry;
    expect([requests, cacheHits, rows, latencyMs.count]).toEqual([4, 2, 2, 2]);
    expect(tenantsOf(telemetry)).toEqual({ acme: 3, globex: 1 });
  });

  test('failures are counted by code, those that a handler refuses for an open breaker too', async () => {
    const { requests, errors, rows, labels: found } = await seen('failing', 8);
    expect(Object.fromEntries(errors)).toEqual({ 'prediction-failed': 5, 'version-unavailable': 3 });
    expect([requests, rows, found.total]).toEqual([8, 0, 0]);
  });

  test('what a fallback answered is counted for the version that did not: which crashed', async () => {
    const { requests, errors, fallbacks, crashes, latencyMs } = await seen('crashing', 2, 1);
    expect(Object.fromEntries(errors)).toEqual({ 'runner-crashed': 1 });
    expect([requests, fallbacks, crashes, latencyMs.count]).toEqual([2, 1, 2, 2]);
  });
}
