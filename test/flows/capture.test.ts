import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { setCaptureConsent } from '../../core/tenancy/capture-consent.ts';
import { DAY_MS } from '../../core/units.ts';
import { slowModel } from '../support/bad-models.ts';
import { sluice } from '../support/command-line.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, fourOf, int64s, texts } from '../support/http-client.ts';
import { MarkerRun } from '../support/markers.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const ECHO = withManifest(echoText('echo'), { capture: { share: 1, retentionDays: 3 } });
const SLOW = withManifest(slowModel(), { timeoutMs: 60_000, capture: { share: 1 } });
const ASYNC = { headers: { prefer: 'respond-async' } };

let running: RunningPlatform;
let operator: ApiClient;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', ECHO, SLOW], runners: 1 });
  operator = await running.addKey(undefined);
});

afterAll(() => running.end());

const consentPath = (tenant: string) => `/control/v1/tenants/${tenant}/capture-consent`;
const setConsent = (caller: ApiClient, tenant: string, consent: boolean) =>
  caller.send('PUT', consentPath(tenant), { body: { consent } });

function captured(model: string, tenant: string) {
  const { captures, clock } = running.region().platform;
  return captures.list(model, 1000, clock.nowMs(), tenant);
}

/** A tenant that consented before any handler had a look at it: they know it as it was for up to a second. */
async function consenting(id: string): Promise<ApiClient> {
  const admin = await running.addTenant(id);
  await setCaptureConsent(running.region().platform, { id: 'key:test', tenant: id }, id, true);
  return admin;
}

test('`sluice tenant capture` gives consent with a key of the tenant and withdraws it with that of an operator', async () => {
  const { url, key } = await running.addTenant('asked');
  const captureAs = (caller: Pick<ApiClient, 'url' | 'key'>, ...args: string[]) =>
    sluice(['tenant', 'capture', 'asked', ...args], caller);
  const refused = await captureAs({ url, key: operator.key }, 'on', '--json');
  expect(refused.code, refused.stderr).toBe(1);
  expect(refused.stderr).toContain('only the tenant itself gives this consent');
  const given = await captureAs({ url, key }, 'on', '--json');
  expect(JSON.parse(given.stdout)).toMatchObject([{ id: 'asked', capture_consent: true }]);
  expect((await captureAs({ url, key: operator.key }, 'off')).stdout).toMatch(/asked.* off /);
  expect((await captureAs({ url, key }, 'perhaps')).code).not.toBe(0);
});

describe('predictions are captured', () => {
  test('of no tenant that has not consented', async () => {
    const silent = await running.addTenant('silent');
    expect((await silent.get('/control/v1/tenants/silent')).json()).toMatchObject({ capture_consent: false });
    await silent.infer('echo', texts('text', 'unasked'));
    const loud = await consenting('loud');
    await loud.infer('echo', texts('text', 'asked'));
    // What came before is written before.
    await vi.waitFor(async () => expect(await captured('echo', 'loud')).toHaveLength(1));
    expect(await captured('echo', 'silent')).toEqual([]);
  });

  test('of those that have, with inputs, outputs, version and retention, whether waited for or not', async () => {
    const acme = await consenting('acme');
    expect((await acme.get('/control/v1/tenants/acme')).json()).toMatchObject({ capture_consent: true });
    await acme.infer('echo', texts('text', 'waited for'));
    await acme.result((await acme.infer('echo', texts('text', 'accepted'), ASYNC)).header('location')!);
    await vi.waitFor(async () => expect(await captured('echo', 'acme')).toHaveLength(2));
    const found = await captured('echo', 'acme');
    expect(found.map(({ inputs }) => inputs[0]?.data[0]).sort()).toEqual(['accepted', 'waited for']);
    for (const { id, version, inputs, outputs, atMs, expiresAtMs } of found) {
      expect(id).toMatch(/^pred_[0-9a-f]{32}$/);
      expect(version).toBe('1');
      expect(outputs).toEqual([{ ...inputs[0], name: 'echo' }]);
      expect(expiresAtMs - atMs).toBeGreaterThan(3 * DAY_MS - 60_000);
      expect(expiresAtMs).toBeLessThanOrEqual(atMs + 3 * DAY_MS);
    }
  });

  test('by models alone whose manifest samples them, and only those that succeeded', async () => {
    const picky = await consenting('picky');
    expect((await picky.infer('row-sum', fourOf(1))).status).toBe(200);
    expect((await picky.infer('echo', texts('text', 'not\0valid'))).status).toBe(400);
    await picky.infer('echo', texts('text', 'last'));
    await vi.waitFor(async () => expect(await captured('echo', 'picky')).toHaveLength(1));
    expect(await captured('row-sum', 'picky')).toEqual([]);
  });

  test('sealed: neither files nor logs hold what was in them', async () => {
    const sealed = await consenting('sealed');
    const marks = new MarkerRun();
    const marker = marks.next('sealed');
    await sealed.infer('echo', texts('text', marker));
    await vi.waitFor(async () => expect(await captured('echo', 'sealed')).toHaveLength(1));
    expect(await marks.inFolder(running.dataFolder)).toEqual([]);
    expect(marks.inBytes('log', Buffer.from(running.logLines.join('')))).toEqual([]);
  });
});

describe('consent', () => {
  test('given by an admin of the tenant is in force within a second', async () => {
    const admin = await running.addTenant('giver');
    expect((await setConsent(admin, 'giver', true)).json()).toMatchObject({ capture_consent: true, epoch: 2 });
    await vi.waitFor(
      async () => {
        await admin.infer('echo', texts('text', 'again'));
        expect((await captured('echo', 'giver')).length).toBeGreaterThan(0);
      },
      { timeout: 5000, interval: 100 },
    );
  });

  test('is the tenant\u2019s to give: neither operators nor its users give it, nor a change of the tenant', async () => {
    await running.addTenant('owner');
    const user = await running.addKey('owner');
    expectProblem(await setConsent(operator, 'owner', true), 'forbidden', { field: 'consent' });
    expectProblem(await setConsent(user, 'owner', true), 'forbidden', { required_role: 'tenant-admin' });
    expectProblem(await setConsent(await running.addTenant('stranger'), 'owner', true), 'forbidden');
    const patch = await operator.send('PATCH', '/control/v1/tenants/owner', { body: { capture_consent: true } });
    expectProblem(patch, 'field-unknown', { field: 'capture_consent' });
    expectProblem(await operator.send('PUT', consentPath('owner'), { body: {} }), 'request-invalid');
    expect((await operator.get('/control/v1/tenants/owner')).json()).toMatchObject({
      capture_consent: false,
      epoch: 1,
    });
  });

  test.each([
    ['the tenant', 'w1', (admin: ApiClient) => admin],
    ['an operator', 'w2', () => operator],
  ])('withdrawn by %s erases what was captured, at once, and stays', async (_, id, who) => {
    const admin = await consenting(id);
    await admin.infer('echo', texts('text', 'before'));
    await vi.waitFor(async () => expect(await captured('echo', id)).toHaveLength(1));
    const withdrawn = await setConsent(who(admin), id, false);
    expect(withdrawn.json()).toMatchObject({ id, capture_consent: false });
    expect(await captured('echo', id)).toEqual([]);
    expect((await setConsent(who(admin), id, false)).status).toBe(200);
    // Handlers may still think that it consents.
    await admin.infer('echo', texts('text', 'after'));
    const other = await consenting(`${id}-other`);
    await other.infer('echo', texts('text', 'later'));
    await vi.waitFor(async () => expect(await captured('echo', `${id}-other`)).toHaveLength(1));
    expect(await captured('echo', id)).toEqual([]);
    const audit = running.logLines.filter(
      (line) => line.includes(`"tenant":"${id}"`) && line.includes('capture consent'),
    );
    expect(audit.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      'capture consent given',
      'capture consent withdrawn',
      'capture consent withdrawn',
    ]);
    expect(audit.every((line) => /"principal":"key:/.test(line))).toBe(true);
  });

  test('withdrawn while a prediction is under way keeps that out too', async () => {
    const admin = await consenting('hasty');
    const accepted = await admin.infer('slow', int64s('rounds', 500), ASYNC);
    await setConsent(admin, 'hasty', false);
    expect((await admin.result(accepted.header('location')!)).status).toBe(200);
    const other = await consenting('patient');
    await other.infer('slow', int64s('rounds', 1));
    await vi.waitFor(async () => expect(await captured('slow', 'patient')).toHaveLength(1));
    expect(await captured('slow', 'hasty')).toEqual([]);
  });

  test('stays when the data of a tenant is erased, which takes the captured predictions with it', async () => {
    const admin = await consenting('erased');
    await admin.infer('echo', texts('text', 'before'));
    await vi.waitFor(async () => expect(await captured('echo', 'erased')).toHaveLength(1));
    expect((await admin.send('DELETE', '/control/v1/tenants/erased/data')).status).toBe(204);
    expect(await captured('echo', 'erased')).toEqual([]);
    await admin.infer('echo', texts('text', 'after'));
    await vi.waitFor(async () => expect(await captured('echo', 'erased')).toHaveLength(1));
  });
});
