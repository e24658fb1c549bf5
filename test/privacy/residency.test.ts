import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inferPath } from '../support/http-client.ts';
import { type MarkedTenant, sendMarked } from '../support/marked-traffic.ts';
import { filesWith, MarkerRun } from '../support/markers.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';
import { TRIAL, trialModel, trialOf } from '../support/trial-model.ts';

/*
 * Tenant ids cannot be guessed here: they stand in clear in tables, keys, journals and logs, so that wherever a region kept
 * anything of another region's tenant, its id would be found there. Only the directory may know it.
 */
const marks = new MarkerRun();

let running: RunningPlatform;
let acme: MarkedTenant;
let refused: MarkedTenant;
let forwarded: MarkedTenant;

beforeAll(async () => {
  running = await startRunning({ regions: ['us', 'eu'], models: [trialModel()], runners: 1 });
  const add = async (region: string, wrongRegion: 'refuse' | 'forward'): Promise<MarkedTenant> => {
    const id = `t-${randomBytes(12).toString('hex')}`;
    return { id, client: await running.addTenant(id, { region, wrongRegion }) };
  };
  acme = await add('us', 'refuse');
  refused = await add('eu', 'refuse');
  forwarded = await add('eu', 'forward');
});

afterAll(() => running.end());

/** Files of a region that know of one of these tenants. */
async function traces(region: string, ...tenants: readonly MarkedTenant[]): Promise<string[]> {
  const folder = join(running.dataFolder, region);
  return (await Promise.all(tenants.map(({ id }) => filesWith(folder, id)))).flat();
}

/** A token that is good in us, of a tenant and a user that are not there. */
async function tokenNaming(tenant: string): Promise<string> {
  const operator = await running.addKey(undefined);
  const form = { grant_type: 'client_credentials', client_secret: operator.key!, tenant, user: `user of ${tenant}` };
  const body = new URLSearchParams(form);
  const response = await fetch(new URL('/dev/oidc/token', operator.url), { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}

test('a tenant leaves its traces in its own region, and nowhere in another', async () => {
  const counts = { answered: 5, accepted: 5, repeated: 2, refused: 1, crashed: 1 };
  await sendMarked([acme], marks, counts);
  await sendMarked([refused, forwarded], marks, counts);
  // This shows that the search finds what there is to find.
  for (const [region, tenant] of [
    ['us', acme],
    ['eu', refused],
    ['eu', forwarded],
  ] as const) {
    // biome-ignore format: pairs
    expect(await traces(region, tenant)).not.toEqual([]);
  }
  expect(await traces('us', refused, forwarded)).toEqual([]);
  expect(await traces('eu', acme)).toEqual([]);
});

test('what is sent to the wrong region is neither stored nor logged there, refused or forwarded', async () => {
  const us = running.region('us').url;
  const logged = running.logLines.length;
  const text = marks.next('eu');
  const answers = [
    await refused.client.at(us).infer('trial', trialOf(text)),
    await refused.client.at(us).get(`/control/v1/tenants/${refused.id}`),
    await running.client(await tokenNaming(refused.id)).infer('trial', trialOf(text)),
  ];
  for (const answer of answers) expectProblem(answer, 'wrong-region', { home_region: 'eu' });
  const ofRefusals = running.logLines.slice(logged).join('');
  expect(ofRefusals).toContain('"home_region":"eu"');
  expect(ofRefusals).not.toContain(refused.id);

  for (const headers of [{}, { prefer: 'respond-async' }, { 'Idempotency-Key': 'over there' }]) {
    const answer = await forwarded.client.at(us).infer('trial', trialOf(text), { headers });
    expect([200, 202]).toContain(answer.status);
    expect(answer.header('sluice-region')).toBe('eu');
  }
  const crashed = await forwarded.client
    .at(us)
    .send('POST', inferPath('trial'), { body: { inputs: trialOf(text, TRIAL.crashes) } });
  expect([422, 502]).toContain(crashed.status);
  expect(await traces('us', refused, forwarded)).toEqual([]);
  expect(await marks.inFolder(join(running.dataFolder, 'us'))).toEqual([]);
  expect(running.logLines.join('')).not.toContain(text);
});

test('the directory that regions share holds home and policy of a tenant and nothing else', async () => {
  const shared = (await readdir(running.dataFolder, { withFileTypes: true })).filter((entry) => entry.isFile());
  expect(shared.map(({ name }) => name).filter((name) => !name.startsWith('directory.db'))).toEqual([]);
});
