import { expect, test } from 'vitest';
import { fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { startRunning } from '../support/running-platform.ts';
import { describeRegions } from './regions.flow.ts';

describeRegions(startRunning);

/** The development issuer is of this host alone. */
test('a token that is good here, of a tenant that lives there, is sent home', async () => {
  const running = await startRunning({ regions: ['us', 'eu'], runners: 1 });
  try {
    const [{ url: usUrl }, { url: euUrl }] = [running.region('us'), running.region('eu')];
    await running.addTenant('globex', { region: 'eu' });
    const operator = await running.addKey(undefined);
    const form = { grant_type: 'client_credentials', client_secret: operator.key!, tenant: 'globex' };
    const response = await fetch(`${usUrl}/dev/oidc/token`, { method: 'POST', body: new URLSearchParams(form) });
    const { access_token } = (await response.json()) as { access_token: string };
    expect(response.status).toBe(200);
    expectProblem(await running.client(access_token).infer('row-sum', fourOf(1)), 'wrong-region', { home_url: euUrl });
  } finally {
    await running.end();
  }
});
