import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FuzzCallers } from '../support/fuzz-calls.ts';
import { type FuzzRequest, fuzzRequest } from '../support/fuzz-request.ts';
import { type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import { problemFaults } from '../support/problems.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const RUNS = Number(process.env.SLUICE_FUZZ_RUNS ?? 6000);
/** Nothing that a stranger sends may take longer; the longest wait that the headers ask for is one second. */
const ANSWERED_WITHIN_MS = 5000;

let running: RunningPlatform;
let witness: ApiClient;
let callers: FuzzCallers;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', 'ticket-sentiment'] });
  witness = await running.addTenant('witness');
  const fuzzed = await running.addTenant('fuzzed', {
    overrides: { requestsPerSecond: 100_000, requestBurst: 100_000 },
  });
  await running.addTenant('fuzz-other');
  const admin = await running.addKey(undefined, { role: 'admin' });
  const browser = await fuzzed.post('/control/v1/tenants/fuzzed/browser-tokens', { user: 'ann' });
  callers = {
    tenant: `Bearer ${fuzzed.key}`,
    browser: `Bearer ${browser.json<{ token: string }>().token}`,
    admin: `Bearer ${admin.key}`,
  };
});

afterAll(() => running.end());

/** What is wrong with an answer; empty if it is as every answer must be. */
function faultsOf(request: FuzzRequest, answer: RawAnswer): string[] {
  const { status } = answer;
  if (status === undefined) return request.isGarbage ? [] : ['no answer'];
  if (status === 500 || status === 501 || status === 502) return [`status ${status}`];
  if (status < 400) return [];
  // The development issuer speaks OAuth; HEAD has no body to look at.
  if (request.path.startsWith('/dev/oidc/') || request.method === 'HEAD') return [];
  return problemFaults({
    status,
    contentType: answer.headers.get('content-type'),
    retryAfter: answer.headers.get('retry-after'),
    body: answer.body,
  });
}

test(`${RUNS} requests of any shape: no 500, no hang, every refusal a problem of the catalogue`, async () => {
  const statuses = new Map<number | undefined, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(fuzzRequest(callers), { minLength: 4, maxLength: 4 }), async (requests) => {
      await Promise.all(
        requests.map(async (request) => {
          const answer = await sendRaw(witness.url, [request.head, request.body], {
            untilMs: ANSWERED_WITHIN_MS,
            ends: request.isGarbage,
            headOnly: request.method === 'HEAD',
          });
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          const faults = faultsOf(request, answer);
          if (faults.length > 0)
            throw new Error(`${faults.join(', ')} to\n${request.head}\n${answer.status} ${answer.body}`);
        }),
      );
    }),
    {
      numRuns: Math.ceil(RUNS / 4),
      interruptAfterTimeLimit: Math.max(20_000, 20 * RUNS),
      markInterruptAsFailure: true,
    },
  );
  // It reached beyond the parser: answers, refusals of ours, and things that are not there.
  for (const status of [200, 400, 401, 404]) expect(statuses.get(status)).toBeGreaterThan(10);
}, 600_000);

test('after that everything works as before', async () => {
  expect(firstOutput(await witness.infer('row-sum', fourOf(1)))).toEqual([4]);
  expect(running.logLines.filter((line) => line.includes('"internal"') || line.includes('broke'))).toEqual([]);
});
