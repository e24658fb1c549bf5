import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiClient, fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  hasBrowser,
  type PageOptions,
  TestBrowser,
} from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';

const HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>';

describe.skipIf(!hasBrowser)('tenants in the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let operatorKey: string;
  let acme: ApiClient;
  let page: Page;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({ models: ['row-sum'], runners: 1 }),
      TestBrowser.launch(),
    ]);
    operatorKey = await platform.newKey(undefined);
    acme = await platform.addTenant('acme');
    await platform.addTenant('globex');
    for (let at = 0; at < 20; at += 1) expect((await acme.infer('row-sum', fourOf(at))).status).toBe(200);
  });
  afterEach(async () => {
    await page?.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  const open = async (
    path: string,
    { key = operatorKey, ...options }: PageOptions & { readonly key?: string } = {},
  ) => {
    page = await browser.newPage(options);
    await signIn(page, platform.region().url, key, `/us${path}`);
  };

  test('a tenant is made, gets a key that is shown once, calls with it, and is refused once it is revoked', async () => {
    await open('/tenants');
    await page.getByRole('button', { name: 'Create a tenant' }).click();
    const form = page.getByRole('dialog', { name: 'Create a tenant' });
    await form.getByLabel('Id').fill('hooli');
    await form.getByLabel('Name').fill(HOSTILE);
    await form.getByRole('button', { name: /Plan/ }).click();
    await page.getByRole('option', { name: /^pro/ }).click();
    await form.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'hooli' }).waitFor();
    await page.getByText(HOSTILE).waitFor();

    await page.getByRole('tab', { name: 'Keys' }).click();
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByLabel('Label').fill('their server');
    await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
    const key = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
    expect(key).toMatch(/^slk_us_/);
    expect((await platform.client(key).infer('row-sum', fourOf(2))).status).toBe(200);
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('rowheader', { name: /their server/ }).waitFor();
    expect(await page.content()).not.toContain(key);

    await page.getByRole('button', { name: 'Revoke the key their server' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/is refused from now on/).waitFor();
    await expect.poll(async () => (await platform.client(key).infer('row-sum', fourOf(2))).status).toBe(401);
  });

  test('a plan is changed, and a tenant is suspended and let call again', async () => {
    await open('/tenants/globex/settings');
    await page.getByRole('button', { name: /^Plan/ }).click();
    await page.getByRole('option', { name: /^free/ }).click();
    await page.getByRole('button', { name: 'Change the plan' }).click();
    await page.getByText('globex has the plan free from now on.').waitFor();
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('globex is suspended.').waitFor();
    await page.getByRole('button', { name: 'Let it call again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Let it call' }).click();
    await page.getByText('globex may call again.').waitFor();
    const read = await platform.client(operatorKey).get('/control/v1/tenants/globex');
    expect(read.json()).toMatchObject({ plan: 'free', suspended: false });
  });

  test('data are erased only once the tenant’s id was typed', async () => {
    const accepted = await acme.infer('row-sum', fourOf(1), { headers: { prefer: 'respond-async' } });
    const location = accepted.header('location') ?? '';
    expect((await acme.result(location)).status).toBe(200);
    await open('/tenants/acme/settings');
    await page.getByRole('button', { name: 'Erase all data' }).click();
    const dialog = page.getByRole('dialog', { name: 'Erase all data of acme?' });
    const erase = dialog.getByRole('button', { name: 'Erase for ever' });
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByLabel(/To confirm, type/).fill('globex');
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByLabel(/To confirm, type/).fill('acme');
    await erase.click();
    await page.getByText('The data of acme are erased.').waitFor();
    expectProblem(await acme.result(location), 'prediction-unknown');
  });

  test('usage and cost are those of what was asked', async () => {
    await open('/tenants/acme/usage');
    await page.getByText('Compute today', { exact: true }).waitFor();
    await page.getByText('Requests in flight', { exact: true }).waitFor();
    // Workers write what they computed once a minute.
    const cost = () => platform.client(operatorKey).get('/control/v1/tenants/acme/cost?by=model');
    await vi.waitFor(async () => expect((await cost()).json<{ items: unknown[] }>().items).toHaveLength(1), 90_000);
    await page.getByRole('tab', { name: 'Cost' }).click();
    await page.getByRole('rowheader', { name: 'row-sum' }).waitFor();
  }, 120_000);

  test('a tenant-admin sees the own account and nothing of others, on the page and by the API', async () => {
    const key = await platform.newKey('acme', { role: 'tenant-admin' });
    await open('', { key });
    await page.getByRole('heading', { level: 1, name: 'acme' }).waitFor();
    const navigation = page.getByRole('navigation');
    expect(await navigation.getByRole('link', { name: 'Tenants' }).count()).toBe(0);
    expect(await navigation.getByRole('link', { name: 'Releases' }).count()).toBe(0);
    await page.getByRole('tab', { name: 'Keys' }).click();
    await page.getByRole('button', { name: 'Create a key' }).waitFor();
    await page.getByRole('tab', { name: 'Settings' }).click();
    expect(await page.getByRole('button', { name: 'Suspend' }).count()).toBe(0);
    await page.goto(`${platform.region().url}/console/us/tenants/globex`);
    await page.getByRole('heading', { level: 1, name: 'Not for your role' }).waitFor();
    expectProblem(await platform.client(key).get('/control/v1/tenants/globex'), 'forbidden');
    expectProblem(await platform.client(key).get('/control/v1/tenants/globex/cost'), 'forbidden');
    expectProblem(await platform.client(key).get('/control/v1/tenants'), 'forbidden');
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    await open('/tenants', options);
    await page.getByRole('link', { name: 'globex' }).waitFor();
    await check();
    await page.getByRole('link', { name: 'globex' }).click();
    for (const tab of ['Usage', 'Cost', 'Keys', 'Settings']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tabpanel').getByRole('heading', { level: 2 }).first().waitFor();
      await check();
    }
  });

  const check = async () => {
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  };
});
