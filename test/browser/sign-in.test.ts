import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunningPlatform } from '../support/running-platform.ts';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';
import { follow, signIn, startWithConsole } from './support/console.ts';

const STORED = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';

/** Asks the API with the token that the console asks with. */
async function viewerOf(page: Page): Promise<(path: string) => Promise<{ status: number; body: { code?: string } }>> {
  const asked = await page.waitForRequest((request) => request.headers().authorization !== undefined);
  const authorization = asked.headers().authorization ?? '';
  return async (path) => {
    const response = await fetch(new URL(path, page.url()), { headers: { authorization } });
    return { status: response.status, body: (await response.json()) as { code?: string } };
  };
}

describe.skipIf(!hasBrowser)('signing in to the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let page: Page;
  const url = () => platform.region('us').url;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({ regions: ['us', 'eu'], models: ['row-sum'], runners: 1 }),
      TestBrowser.launch(),
    ]);
  });
  afterEach(async () => {
    await page?.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  test('takes an API key, comes back to the page that was asked for, and keeps no token where scripts of other pages read', async () => {
    page = await browser.newPage();
    const key = await platform.newKey(undefined);
    await signIn(page, url(), key, '/us/operations/audit');
    expect(new URL(page.url()).pathname).toBe('/console/us/operations/audit');
    await page.getByRole('heading', { level: 1, name: 'Operations' }).waitFor();
    const stored = String(await page.evaluate(STORED));
    expect(stored).not.toContain('eyJ');
    expect(stored).not.toContain(key.split('_').at(-1));
  });

  test('asks nothing again when the page is loaded anew, and everything once signed out', async () => {
    page = await browser.newPage();
    await signIn(page, url(), await platform.newKey(undefined));
    await page.reload();
    await page.getByRole('button', { name: /^Signed in as operator/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /^Sign in/ }).click();
    await page.getByLabel('API key').waitFor();
  });

  test('says that a key is wrong, and ends with a key that is revoked', async () => {
    page = await browser.newPage();
    await page.goto(`${url()}/console/us/overview`);
    await page.getByRole('button', { name: /^Sign in/ }).click();
    await page.getByLabel('API key').fill('slk_us_none.1_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    const key = await platform.newKey(undefined);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const id = /^slk_us_([0-9a-f]+)_/.exec(key)?.[1] ?? '';
    const admin = await platform.addKey(undefined, { role: 'admin' });
    expect((await admin.send('DELETE', `/control/v1/operator-keys/${id}`)).status).toBe(204);
    await page.getByText('The sign-in has ended or was revoked.').waitFor();
  });

  test('keeps a session of each region, through a page that is loaded anew, and shows one that is not signed in to', async () => {
    page = await browser.newPage();
    await signIn(page, url(), await platform.newKey(undefined, {}, 'us'), '/us/overview');
    await page.getByRole('button', { name: 'Sign in to eu' }).click();
    await page.getByLabel('API key').fill(await platform.newKey(undefined, {}, 'eu'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    const regions = page.getByRole('region', { name: 'Regions' });
    await expect.poll(() => regions.getByText('requests').count()).toBe(2);
    expect(new URL(page.url()).pathname).toBe('/console/eu/overview');
    await page.reload();
    await expect.poll(() => regions.getByText('requests').count()).toBe(2);
  });

  test('shows a tenant’s admin what is theirs, and by its address neither page nor data of operators', async () => {
    page = await browser.newPage();
    await platform.addTenant('acme');
    const refused: number[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.status());
    });
    await signIn(page, url(), await platform.newKey('acme', { role: 'tenant-admin' }), '/us/overview');
    await page.getByRole('heading', { name: 'Not for your role' }).waitFor();
    await expect.poll(() => page.getByRole('navigation').getByRole('link', { name: 'Overview' }).count()).toBe(0);
    await follow(page, 'Operations');
    await page.getByRole('tab', { name: 'Dead letters' }).waitFor();
    expect(await page.getByRole('tab', { name: 'Alarms' }).count()).toBe(0);
    // The console asked for nothing that it may not have, and would not have got it.
    expect(refused).toEqual([]);
    const ask = await viewerOf(page);
    const { status, body } = await ask('/control/v1/overview');
    expect([status, body.code]).toEqual([403, 'forbidden']);
    await platform.addTenant('initech');
    expect((await ask('/control/v1/tenants/initech/audit')).status).toBe(403);
    expect((await ask('/control/v1/tenants/acme/audit')).status).toBe(200);
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone before somebody is known: $width wide, dark $dark', async (options) => {
    page = await browser.newPage(options);
    await page.goto(`${url()}/console/us/overview`);
    await page.getByRole('button', { name: /^Sign in/ }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.getByRole('button', { name: /^Sign in/ }).click();
    await page.getByLabel('API key').waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });

  test('shows a region that is down as down, and works with the others', async () => {
    page = await browser.newPage();
    await signIn(page, url(), await platform.newKey(undefined), '/us/overview');
    await platform.region('eu').stop();
    await page.reload();
    const regions = page.getByRole('region', { name: 'Regions' });
    await regions.getByText('down').waitFor();
    await regions.getByText('requests').waitFor();
    await page.getByRole('heading', { name: 'Active releases' }).waitFor();
  });
});
