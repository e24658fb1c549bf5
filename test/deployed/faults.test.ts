import { setTimeout as delay } from 'node:timers/promises';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueName } from '../../adapters/aws/environment.ts';
import { LANES } from '../../core/inference/job.ts';
import { seededRandom } from '../../core/seeded-random.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { FAULT_KINDS, Faults } from '../support/aws/faults.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, firstOutput, fourOf, type InferJson, texts } from '../support/http-client.ts';

const SEED = 20_261;
const JOBS = 120;
const CLIENTS = 6;
/** Of a client that got no answer, or one that says to come again. */
const MOST_TRIES = 60;
/** Handlers that are lost with one request, at the most: those of each crash, and a few that faults made fail. */
const MOST_UNANSWERED = 2 * 4 + 4;
/** Of one in so many jobs the payload is too large for a table or a queue. */
const LARGE_EVERY = 25;
const LARGE = 'x'.repeat(5000);
const TENANTS = ['acme', 'globex', 'initech'];
/** Sends after whose job was written the process is lost; then workers, by how many jobs were accepted. */
const CRASHES = 4;
const WORKER_KILLS = [25, 50, 80];

/** What one client asked for and was told, each time. */
type Request = {
  readonly tenant: string;
  readonly key: string | undefined;
  readonly value: number;
  /** Ids under which it was accepted; one, however often it was asked. */
  readonly accepted: string[];
  /** What was said where it was not accepted; a handler that is lost or breaks leaves its place taken. */
  readonly unanswered: string[];
};

let cloud: Cloud;
let faults: Faults;
let platform: DeployedPlatform;
const callers = new Map<string, ApiClient>();
const history: Request[] = [];
let crashes = 0;

beforeAll(async () => {
  cloud = await startCloud();
  faults = await Faults.start(cloud, SEED);
  platform = await DeployedPlatform.start(cloud, {
    models: ['row-sum', echoText()],
    runners: 1,
    workers: 2,
    scheduled: ['sweep'],
    endpoints: faults.endpoints,
  });
  for (const tenant of TENANTS) callers.set(tenant, await platform.addTenant(tenant));
}, 120_000);

afterAll(async () => {
  await platform?.end();
  faults?.stop();
  await cloud?.stop();
});

const isLarge = ({ value }: Pick<Request, 'value'>) => value % LARGE_EVERY === 0;
/** Some 300 KB. */
const largeOf = (value: number) => texts('text', String(value), ...new Array<string>(60).fill(LARGE));

/** As a careful client does: again with the same key until it is told what became of it. */
async function ask(request: Request): Promise<void> {
  const caller = callers.get(request.tenant)!;
  const headers = { prefer: 'respond-async', ...(request.key !== undefined && { 'Idempotency-Key': request.key }) };
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const answer = await (isLarge(request)
      ? caller.infer('echo-text', largeOf(request.value), { headers })
      : caller.infer('row-sum', fourOf(request.value), { headers })
    ).catch(() => undefined);
    if (answer?.status === 202) request.accepted.push(answer.json<{ id: string }>().id);
    else if (answer?.status === 200) request.accepted.push(answer.json<InferJson>().id);
    if (answer === undefined || answer.status >= 500) request.unanswered.push(answer?.text ?? 'nothing');
    // Who has no key cannot know whether it was accepted, and does not ask again.
    if (request.accepted.length > 0 || request.key === undefined) return;
    await delay(answer?.status === 409 ? 500 : 50);
  }
}

async function killWhatIsDue(killed: Set<number>): Promise<void> {
  const accepted = history.filter((request) => request.accepted.length > 0).length;
  for (const [at, due] of WORKER_KILLS.entries()) {
    if (accepted < due || killed.has(at)) continue;
    killed.add(at);
    const { deployed } = platform.region();
    await deployed.workers[at]!.kill();
    deployed.addWorker(['row-sum', 'echo-text']);
  }
}

async function sendAll(): Promise<void> {
  const random = seededRandom(SEED);
  const killed = new Set<number>();
  const { deployed } = platform.region();
  faults.onSend = () => {
    if (crashes >= CRASHES || random() > 0.1) return false;
    crashes += 1;
    void deployed.functions.infer.killAll();
    return true;
  };
  let sent = 0;
  const client = async () => {
    for (;;) {
      const value = sent;
      sent += 1;
      if (value >= JOBS) return;
      const key = random() < 0.8 ? `key-${value}` : undefined;
      const request = { tenant: TENANTS[value % TENANTS.length]!, key, value, accepted: [], unanswered: [] };
      history.push(request);
      await ask(request);
      await killWhatIsDue(killed);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  expect(killed.size).toBe(WORKER_KILLS.length);
}

/** Messages of all queues, in flight or not, and of the dead letters. */
async function queued(): Promise<{ readonly live: number; readonly dead: number }> {
  const { SLUICE_QUEUES_URL: url } = platform.region().deployed.variables;
  const count = async (name: string) => {
    const names = [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ] as const;
    const asked = new GetQueueAttributesCommand({ QueueUrl: `${url}${name}`, AttributeNames: [...names] });
    const { Attributes = {} } = await cloud.fauxqs.sqs.send(asked);
    return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  };
  const sum = async (dead?: 'dead') =>
    (await Promise.all(LANES.map((lane) => count(queueName('default', lane, dead))))).reduce((a, b) => a + b, 0);
  return { live: await sum(), dead: await sum('dead') };
}

describe('over a hundred jobs, while services fail and processes are lost', () => {
  test('are accepted', async () => {
    faults.isOn = true;
    await sendAll();
    const accepted = history.filter((request) => request.accepted.length > 0);
    expect(accepted.length).toBeGreaterThan(JOBS * 0.8);
    // Who has a key asks until it is accepted.
    expect(history.filter(({ key, accepted: ids }) => key !== undefined && ids.length === 0)).toEqual([]);
    expect(crashes).toBe(CRASHES);
    // Nobody is refused over and over.
    expect(history.filter(({ unanswered }) => unanswered.length > MOST_UNANSWERED)).toEqual([]);
  }, 240_000);

  test('are each answered once, rightly, and alike whoever asks, once the faults are over', async () => {
    faults.isOn = false;
    const untilMs = Date.now() + 90_000;
    while ((await queued()).live > 0 && Date.now() < untilMs) await delay(250);
    const { platform: ports } = platform.region();
    for (const request of history) {
      const { tenant, value, accepted } = request;
      const [id] = accepted;
      if (id === undefined) continue;
      const answer = await callers.get(tenant)!.result(`/v2/predictions/${id}`);
      expect(answer.status, answer.text).toBe(200);
      expect(firstOutput(answer)).toEqual(isLarge(request) ? largeOf(value)[0]!.data : [4 * value]);
      // Another process, over another way, sees the same.
      const record = await ports.jobs.read(tenant, id, Date.now());
      expect(record?.state.kind).toBe('ended');
    }
    expect(await queued()).toEqual({ live: 0, dead: 0 });
  }, 150_000);

  test('every kind of fault has struck', () => {
    expect(FAULT_KINDS.filter((kind) => faults.counts[kind] === 0)).toEqual([]);
  });

  test('a key was one job however often it was sent, and one job has one caller', () => {
    const ids = history.map(({ accepted }) => new Set(accepted));
    expect(ids.every(({ size }) => size <= 1)).toBe(true);
    const all = ids.flatMap((some) => [...some]);
    expect(new Set(all).size).toBe(all.length);
  });

  test('quotas agree with it: no place is taken but by requests that nobody answered', async () => {
    for (const tenant of TENANTS) {
      const caller = callers.get(tenant)!;
      const usage = (await caller.get(`/control/v1/tenants/${tenant}/usage`)).json<{ in_flight: number }>();
      const unanswered = history.filter((request) => request.tenant === tenant);
      const most = unanswered.reduce((sum, request) => sum + request.unanswered.length, 0);
      expect(usage.in_flight).toBeLessThanOrEqual(most);
    }
  });
});
