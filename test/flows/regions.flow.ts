import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiClient, firstOutput, fourOf, inferPath } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

/** Two regions: each tenant is served at home, and elsewhere as it has opted. */
export function describeRegions(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let usUrl: string;
  let euUrl: string;
  let acme: ApiClient;
  /** Of eu, one for each policy. */
  let refused: ApiClient;
  let redirected: ApiClient;
  let forwarded: ApiClient;

  beforeAll(async () => {
    running = await start({ regions: ['us', 'eu'], models: ['row-sum'], runners: 1 });
    usUrl = running.region('us').url;
    euUrl = running.region('eu').url;
    acme = await running.addTenant('acme');
    refused = await running.addTenant('globex', { region: 'eu' });
    redirected = await running.addTenant('globex-redirect', { region: 'eu', wrongRegion: 'redirect' });
    forwarded = await running.addTenant('globex-forward', { region: 'eu', wrongRegion: 'forward' });
  });

  afterAll(() => running.end());

  describe('at home', () => {
    test('each tenant is served by its own region', async () => {
      for (const [caller, region] of [
        [acme, 'us'],
        [refused, 'eu'],
      ] as const) {
        // biome-ignore format: pairs
        const answer = await caller.infer('row-sum', fourOf(1));
        expect(firstOutput(answer)).toEqual([4]);
        expect(answer.header('sluice-region')).toBe(region);
      }
    });
  });

  describe('at the wrong region', () => {
    test('a request is refused with the way home, in both directions', async () => {
      for (const [caller, url, home, homeUrl] of [
        [refused, usUrl, 'eu', euUrl],
        [acme, euUrl, 'us', usUrl],
      ] as const) {
        const answer = await caller.at(url).infer('row-sum', fourOf(1));
        expectProblem(answer, 'wrong-region', { home_region: home, home_url: homeUrl });
        expect(answer.status).toBe(421);
      }
    });

    test('a made-up key of the other region is refused without being looked up', async () => {
      const made = refused.key!.replace(/_globex\.[0-9a-f]{8}/, '_nobody.00000000');
      expectProblem(await running.client(made).infer('row-sum', fourOf(1)), 'wrong-region', { home_region: 'eu' });
    });

    test('the control plane refuses too', async () => {
      expectProblem(await refused.at(usUrl).get('/control/v1/tenants/globex'), 'wrong-region', { home_url: euUrl });
    });

    test('a tenant that opted in is redirected, path and query kept', async () => {
      const answer = await redirected
        .at(usUrl)
        .send('POST', `${inferPath('row-sum')}?a=b`, { body: { inputs: fourOf(1) } });
      expect(answer.status).toBe(307);
      expect(answer.header('location')).toBe(`${euUrl}${inferPath('row-sum')}?a=b`);
    });

    test('a tenant that opted in is forwarded, and the answer is the home region\u2019s', async () => {
      const answer = await forwarded.at(usUrl).infer('row-sum', fourOf(3), { members: { id: 'there' } });
      expect(firstOutput(answer)).toEqual([12]);
      expect(answer.header('sluice-region')).toBe('eu');
      const accepted = await forwarded.at(usUrl).infer('row-sum', fourOf(4), { headers: { prefer: 'respond-async' } });
      expect(accepted.status).toBe(202);
      expect(firstOutput(await forwarded.result(accepted.header('location')!))).toEqual([16]);
      expectProblem(await forwarded.at(usUrl).get('/v2/models/nothing'), 'model-unknown');
    });

    test('a forwarded request is not forwarded again', async () => {
      const headers = { 'Sluice-Forwarded': '1' };
      expectProblem(await forwarded.at(usUrl).infer('row-sum', fourOf(1), { headers }), 'wrong-region');
    });

    test('an operator\u2019s request is refused, never passed on', async () => {
      const operator = await running.addKey(undefined);
      const headers = { 'Sluice-Tenant': 'globex-forward' };
      expectProblem(await operator.infer('row-sum', fourOf(1), { headers }), 'wrong-region', { home_url: euUrl });
      expectProblem(await operator.get('/control/v1/tenants/globex'), 'wrong-region', { home_url: euUrl });
    });

    test('a token of one region is not good in another', async () => {
      const created = await refused.post('/control/v1/tenants/globex/browser-tokens', { user: 'ann' });
      const { token } = created.json<{ token: string }>();
      expect(firstOutput(await running.client(token, 'eu').infer('row-sum', fourOf(1)))).toEqual([4]);
      expectProblem(await running.client(token, 'us').infer('row-sum', fourOf(1)), 'credentials-invalid');
    });

    test('a change of policy is in force within two seconds', async () => {
      const changing = await running.addTenant('changing', { region: 'eu' });
      expectProblem(await changing.at(usUrl).infer('row-sum', fourOf(1)), 'wrong-region');
      await running.changeTenant('changing', { wrongRegion: 'forward' }, 'eu');
      await vi.waitFor(
        async () => expect(firstOutput(await changing.at(usUrl).infer('row-sum', fourOf(1)))).toEqual([4]),
        {
          timeout: 5000,
        },
      );
    });
  });

  test('a tenant id is taken once over all regions', async () => {
    const operator = await running.addKey(undefined, {}, 'eu');
    const answer = await operator.post('/control/v1/tenants', { id: 'acme', name: 'Another', plan: 'free' });
    expectProblem(answer, 'already-exists', { field: 'id' });
  });
}
