import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditJson, DeadLetterJson, PoolJson, VerificationJson } from '../../core/api/operations-json.ts';
import { deadLetterId } from '../../core/inference/dead-letter.ts';
import type { Job } from '../../core/inference/job.ts';
import { type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import { aJob } from '../support/jobs.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

type Page<T> = { readonly items: readonly T[]; readonly next: string | null };
const SOON = { timeout: 20_000, interval: 200 };
const NOBODYS = `dl_${'0'.repeat(32)}`;

/** Pools, dead letters and the audit log over HTTP, and what a tenant sees of them. */
export function describeOperations(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let operator: ApiClient;
  let acme: ApiClient;
  let globex: ApiClient;
  let jobs = 0;

  beforeAll(async () => {
    running = await start({ models: ['row-sum'], runners: 1 });
    operator = await running.addKey(undefined);
    [acme, globex] = [await running.addTenant('acme'), await running.addTenant('globex')];
  });

  afterAll(() => running.end());

  /** Puts an accepted prediction among the dead letters, as a worker does that cannot run it. */
  async function bury(tenant: string, value: number): Promise<DeadLetterJson> {
    const { deadLetters } = running.region().platform;
    jobs += 1;
    const id = `pred_${jobs.toString(16).padStart(32, 'd')}`;
    const inputs: Job['inputs'] = [
      { name: 'x', datatype: 'FP32', shape: [1, 4], data: new Float32Array([value, value, value, value]) },
    ];
    const job = aJob({ id, tenant, model: 'row-sum', requestedModel: 'row-sum', rows: 1, durable: true, inputs });
    const named = { id: deadLetterId(id), tenant, prediction: id, model: 'row-sum', version: '1' };
    const died = { pool: 'default', lane: 'bulk', reason: 'model-load-failed', attempts: 2, redrivable: true } as const;
    await deadLetters.add({ ...named, ...died, atMs: Date.now() }, job);
    return (await listed(operator, `/control/v1/tenants/${tenant}/dead-letters`)).find(({ id }) => id === named.id)!;
  }

  async function listed(client: ApiClient, path: string): Promise<readonly DeadLetterJson[]> {
    const answer = await client.get(path);
    expect(answer.status, answer.text).toBe(200);
    return answer.json<Page<DeadLetterJson>>().items;
  }

  const redrive = (client: ApiClient, tenant: string, letter: string) =>
    client.post(`/control/v1/tenants/${tenant}/dead-letters/${letter}/redrive`, {});
  const discard = (client: ApiClient, tenant: string, letter: string) =>
    client.send('DELETE', `/control/v1/tenants/${tenant}/dead-letters/${letter}`);

  async function audited(client: ApiClient, query = '', path = '/control/v1/audit'): Promise<readonly AuditJson[]> {
    const answer = await client.get(`${path}${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.json<Page<AuditJson>>().items;
  }

  test('pools show their queues and workers, with what these have loaded', async () => {
    expect((await acme.infer('row-sum', fourOf(1))).status).toBe(200);
    await vi.waitFor(async () => {
      const { items } = (await operator.get('/control/v1/pools')).json<Page<PoolJson>>();
      expect(items.map(({ pool }) => pool)).toContain('default');
      const { lanes, workers } = items.find(({ pool }) => pool === 'default')!;
      expect(lanes.map(({ lane }) => lane)).toEqual(['interactive', 'bulk']);
      expect(workers).toMatchObject([{ runners: 1, draining: false, up_s: expect.any(Number) }]);
      expect(workers[0]!.loaded).toMatchObject([{ model: 'row-sum', version: '1', breaker: 'closed' }]);
    }, SOON);
    expectProblem(await acme.get('/control/v1/pools'), 'forbidden');
  });

  describe('dead letters', () => {
    test('are listed to operators of all, and to a tenant of its own alone', async () => {
      const [own, other] = [await bury('acme', 1), await bury('globex', 2)];
      expect(own).toMatchObject({ tenant: 'acme', model: 'row-sum', reason: 'model-load-failed', redrivable: true });
      const all = (await listed(operator, '/control/v1/dead-letters')).map(({ id }) => id);
      expect(all).toEqual(expect.arrayContaining([own.id, other.id]));
      const ofAcme = (await listed(acme, '/control/v1/tenants/acme/dead-letters')).map(({ tenant }) => tenant);
      expect(new Set(ofAcme)).toEqual(new Set(['acme']));
      expect(await listed(operator, '/control/v1/dead-letters?tenant=globex&pool=default')).toMatchObject([
        { id: other.id },
      ]);
      expect(await listed(operator, '/control/v1/dead-letters?pool=gone')).toEqual([]);
      expectProblem(await acme.get('/control/v1/dead-letters'), 'forbidden');
      expectProblem(await acme.get('/control/v1/tenants/globex/dead-letters'), 'forbidden');
      const user = await running.addKey('acme');
      expectProblem(await user.get('/control/v1/tenants/acme/dead-letters'), 'forbidden');
      // Neither under the other's name nor under its own.
      expectProblem(await redrive(acme, 'globex', other.id), 'forbidden');
      expectProblem(await redrive(acme, 'acme', other.id), 'dead-letter-unknown');
      expectProblem(await discard(acme, 'acme', other.id), 'dead-letter-unknown');
      expect(await listed(globex, '/control/v1/tenants/globex/dead-letters')).toMatchObject([{ id: other.id }]);
    });

    test('run again as another prediction, once, whose answer is read as any', async () => {
      const letter = await bury('acme', 5);
      const answer = await redrive(acme, 'acme', letter.id);
      expect(answer.status, answer.text).toBe(202);
      const { prediction, redrive_of: of } = answer.json<{ prediction: string; redrive_of: string }>();
      expect(of).toBe(letter.prediction);
      expect(prediction).not.toBe(letter.prediction);
      expect(answer.header('location')).toBe(`/v2/predictions/${prediction}`);
      const result = await acme.result(`/v2/predictions/${prediction}`);
      expect(result.status, result.text).toBe(200);
      expect(firstOutput(result)).toEqual([20]);
      expectProblem(await globex.get(`/v2/predictions/${prediction}`), 'prediction-unknown');
      expectProblem(await redrive(acme, 'acme', letter.id), 'dead-letter-unknown');
      expect(await listed(acme, '/control/v1/tenants/acme/dead-letters')).not.toContainEqual(letter);
    });

    test('of which nothing is left are not run, and are forgotten when they are discarded', async () => {
      const { deadLetters } = running.region().platform;
      const bare = { id: `dl_${'b'.repeat(32)}`, tenant: 'acme', prediction: `pred_${'b'.repeat(32)}` };
      const died = { pool: 'default', lane: 'bulk', reason: 'record-damaged', attempts: 1, atMs: Date.now() } as const;
      const letter = { ...bare, ...died, model: undefined, version: undefined, redrivable: false };
      await deadLetters.add(letter, undefined);
      expectProblem(await redrive(operator, 'acme', bare.id), 'dead-letter-empty', { reason: 'record-damaged' });
      expect((await discard(operator, 'acme', bare.id)).status).toBe(204);
      expectProblem(await discard(operator, 'acme', bare.id), 'dead-letter-unknown');
      expectProblem(await redrive(operator, 'acme', NOBODYS), 'dead-letter-unknown');
    });
  });

  describe('the audit log', () => {
    test('has who asked for what change, how it was answered and why, one item a request', async () => {
      const initech = { id: 'initech', name: 'Initech', plan: 'pro' };
      expect((await operator.post('/control/v1/tenants', initech)).status).toBe(201);
      expectProblem(await operator.post('/control/v1/tenants', initech), 'already-exists');
      expectProblem(await acme.post('/control/v1/tenants', initech), 'forbidden');
      expect((await running.client(undefined).post('/control/v1/tenants', initech)).status).toBe(401);
      const [stranger, tenant, again, first] = await audited(operator, '?action=tenant-create&limit=4');
      expect(stranger).toMatchObject({ by: 'nobody', outcome: 'refused', status: 401, target: {}, tenant: null });
      expect(tenant).toMatchObject({ role: 'tenant-admin', tenant: 'acme', outcome: 'refused', code: 'forbidden' });
      expect(again).toMatchObject({ role: 'operator', outcome: 'refused', status: 409, code: 'already-exists' });
      expect(first).toMatchObject({ outcome: 'done', status: 201, target: { made: '/control/v1/tenants/initech' } });
      const level = { level: 'warn', minutes: 1 };
      expect((await operator.send('PUT', '/control/v1/log-level', { body: level })).status).toBe(200);
      expect((await audited(operator, '?limit=1'))[0]).toMatchObject({
        action: 'log-level-put',
        reason: 'warn for 1 minutes',
      });
    });

    test('is read by time, person and tenant, page by page, without a request twice or none', async () => {
      const key = { label: 'k' };
      const fromMs = Date.now();
      for (let count = 0; count < 5; count += 1)
        expect((await acme.post('/control/v1/tenants/acme/keys', key)).status).toBe(201);
      const from = `from=${new Date(fromMs - 2000).toISOString()}`;
      const all = await audited(operator, `?${from}&action=key-create&tenant=acme`);
      const seqs: number[] = [];
      for (let cursor = ''; ; ) {
        const path = `/control/v1/audit?${from}&action=key-create&tenant=acme&limit=2${cursor}`;
        const page = (await operator.get(path)).json<Page<AuditJson>>();
        seqs.push(...page.items.map(({ seq }) => seq));
        if (page.next === null) break;
        cursor = `&cursor=${encodeURIComponent(page.next)}`;
      }
      expect(seqs).toEqual(all.map(({ seq }) => seq));
      expect(all.filter(({ outcome }) => outcome === 'done').length).toBeGreaterThanOrEqual(5);
      const [{ by }] = all as [AuditJson];
      for (const one of await audited(operator, `?by=${encodeURIComponent(by)}`)) expect(one.by).toBe(by);
      expect(await audited(operator, '?until=2020-01-01T00:00:00Z')).toEqual([]);
      expectProblem(await operator.get('/control/v1/audit?cursor=x'), 'request-invalid', { field: 'cursor' });
      expectProblem(await operator.get('/control/v1/audit?from=yesterday'), 'request-invalid', { field: 'from' });
    });

    test('shows a tenant what is its own, operators as such alone, and nothing of another', async () => {
      await globex.post('/control/v1/tenants/globex/keys', { label: 'k' });
      await operator.post('/control/v1/tenants/acme/keys', { label: 'by the operator' });
      const own = await audited(acme, '?limit=1000', '/control/v1/tenants/acme/audit');
      expect(own[0]).toMatchObject({
        by: 'operator',
        role: 'operator',
        action: 'key-create',
        target: { tenant: 'acme' },
      });
      expect(new Set(own.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
      expect(JSON.stringify(own)).not.toContain('key:globex');
      expectProblem(await acme.get('/control/v1/tenants/globex/audit'), 'forbidden');
      expectProblem(await acme.get('/control/v1/audit'), 'forbidden');
      expectProblem(await acme.get('/control/v1/audit/verification'), 'forbidden');
    });

    test('holds when it is walked, and against a head that was noted down', async () => {
      const walk = async (query = '') =>
        (await operator.get(`/control/v1/audit/verification${query}`)).json<VerificationJson>();
      const whole = await walk();
      expect(whole).toMatchObject({ ok: true, complete: true, from_seq: 1, broken_at_seq: null });
      expect(whole.until_seq).toBe(whole.head!.seq);
      const { seq, hash } = whole.head!;
      await operator.post('/control/v1/tenants/acme/keys', { label: 'one more' });
      expect(await walk(`?known=${seq}:${hash}&from_seq=${seq}`)).toMatchObject({ ok: true, from_seq: seq });
      expect(await walk(`?known=${seq}:${'0'.repeat(64)}`)).toMatchObject({ ok: false, broken_at_seq: seq });
    });
  });
}
