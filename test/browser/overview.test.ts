import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fourOf } from '../support/http-client.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';

describe.skipIf(!hasBrowser)('the overview', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let key: string;
  let page: Page;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({ models: ['row-sum'], runners: 1 }),
      TestBrowser.launch(),
    ]);
    key = await platform.newKey(undefined);
    const acme = await platform.addTenant('acme');
    for (let i = 0; i < 5; i += 1) expect((await acme.infer('row-sum', fourOf(i))).status).toBe(200);
  });
  afterEach(async () => {
    await page?.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  const open = async (options = {}) => {
    page = await browser.newPage(options);
    await signIn(page, platform.region().url, key, '/us/overview');
    await page.getByRole('heading', { name: 'Queues' }).waitFor();
  };

  test('counts what callers asked, and goes on by itself', async () => {
    await open();
    await page.getByText(/^[1-9]\d* in the last hour$/).waitFor();
    const acme = await platform.addKey('acme');
    const before = Number((await page.getByText('in the last hour').textContent())?.split(' ')[0]);
    for (let i = 0; i < 20; i += 1) await acme.infer('row-sum', fourOf(i));
    await page.getByText(new RegExp(`^${before + 20} in the last hour$`)).waitFor();
  });

  test('says what is not up to date when the region stops answering, and keeps what it knew', async () => {
    await open();
    await page.route('**/control/v1/overview', (route) => route.abort());
    await page.getByText(/^Not up to date/).waitFor();
    await page.getByText('in the last hour').waitFor();
    await page.unroute('**/control/v1/overview');
    await expect.poll(() => page.getByText(/^Not up to date/).count(), { timeout: 40_000 }).toBe(0);
  });

  test('tells a problem with its code and what to do, and tries again when told', async () => {
    page = await browser.newPage();
    await page.route('**/control/v1/overview', (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        headers: { 'access-control-allow-origin': '*' },
        body: JSON.stringify({
          code: 'storage-unavailable',
          title: 'Storage is unavailable',
          detail: '<img src=x onerror=alert(1)>',
          advice: 'Wait.',
          retryable: true,
        }),
      }),
    );
    await signIn(page, platform.region().url, key, '/us/overview');
    await page.getByText('storage-unavailable').waitFor();
    // What a server says is text, whatever it looks like.
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    await page.unroute('**/control/v1/overview');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('in the last hour').waitFor();
  });

  test('remembers the theme that was chosen', async () => {
    await open();
    await page.getByRole('button', { name: 'Appearance' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Dark' }).click();
    const isDark = () => page.evaluate('document.body.classList.contains("awsui-dark-mode")');
    await expect.poll(isDark).toBe(true);
    await page.reload();
    await page.getByRole('heading', { name: 'Queues' }).waitFor();
    expect(await isDark()).toBe(true);
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    await open(options);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });

  test('is reached and read by the keyboard alone', async () => {
    await open({ width: 390 });
    await page.keyboard.press('Tab');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Skip to the page');
    await page.getByRole('button', { name: 'Pages' }).press('Enter');
    await page.getByRole('link', { name: 'Operations' }).press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Operations' }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
    await page.goBack();
    const chart = page.getByRole('slider', { name: /^Requests and errors/ });
    await chart.focus();
    await page.keyboard.press('End');
    await expect.poll(() => chart.getAttribute('aria-valuetext')).toMatch(/: Requests /);
    const last = await chart.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => chart.getAttribute('aria-valuetext')).not.toBe(last);
  });
});
