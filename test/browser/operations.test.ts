import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ApiClient, fourOf } from '../support/http-client.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';

const HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>';

describe.skipIf(!hasBrowser)('operations in the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let acme: ApiClient;
  let key: string;
  let page: Page;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({ models: ['row-sum'], runners: 1 }),
      TestBrowser.launch(),
    ]);
    key = await platform.newKey(undefined);
    acme = await platform.addTenant('acme');
  });
  afterEach(async () => {
    await page?.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  const open = async (path: string, options = {}) => {
    page = await browser.newPage(options);
    await signIn(page, platform.region().url, key, `/us/operations/${path}`);
  };

  test('a prediction that nobody could handle is run again once its cause is mended', async () => {
    const artifacts = join(platform.dataFolder, 'us', 'artifacts');
    await withoutArtifacts(artifacts, async () => {
      const accepted = await acme.infer('row-sum', fourOf(1), { headers: { prefer: 'respond-async' } });
      expect(accepted.status).toBe(202);
      await expect.poll(async () => (await acme.result(accepted.header('location') ?? '')).status).toBeGreaterThan(400);
    });
    await open('dead-letters');
    await page.getByRole('button', { name: /^Redrive pred_/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Run it again?' });
    await dialog.getByText('row-sum').waitFor();
    await dialog.getByRole('button', { name: 'Redrive' }).click();
    const told = page.getByText(/runs again as pred_/);
    const prediction = /as (pred_\w+)/.exec((await told.textContent()) ?? '')?.[1];
    const outcome = await acme.result(`/v2/predictions/${prediction}`);
    expect(outcome.status).toBe(200);
    await page.getByText('No dead letter.').waitFor();
  });

  test('shows the worker with the model that it has loaded', async () => {
    expect((await acme.infer('row-sum', fourOf(2))).status).toBe(200);
    await open('workers');
    await page.getByRole('rowheader', { name: /us-default-1/ }).waitFor();
    await page.getByRole('link', { name: 'row-sum' }).waitFor();
  });

  test('finds who did what, and that the record of it is whole', async () => {
    const operator = platform.client(key);
    expect((await operator.post('/control/v1/tenants', { id: 'globex', name: HOSTILE, plan: 'pro' })).status).toBe(201);
    await open('audit');
    await page.getByLabel('Action').fill('tenant-create');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('rowheader', { name: 'tenant-create' }).first().waitFor();
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.getByText(/entries are as they were written/).waitFor();
  });

  test('the log level is changed for a while, and says until when', async () => {
    await open('log-level');
    await page.getByText('nobody has changed it').waitFor();
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText(/^Logs are written from debug on/).waitFor();
    await page.getByText(/^ends in \d+ min, set by key:/).waitFor();
  });

  test('a search that is none of the API’s is answered with what is wrong, as text', async () => {
    await open('audit');
    await page.getByLabel('Tenant').fill(HOSTILE);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    await open('workers', options);
    for (const tab of ['Queues and workers', 'Dead letters', 'Alarms', 'Checks', 'Log level', 'Audit']) {
      await page.getByRole('tab', { name: tab }).click();
      const content = page.getByRole('tabpanel').locator('table, form, button').first();
      await content.waitFor();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    }
  });
});

/** While `run` runs, the files of models are somewhere else. */
async function withoutArtifacts(folder: string, run: () => Promise<void>): Promise<void> {
  expect(await readdir(folder)).not.toEqual([]);
  await rename(folder, `${folder}.away`);
  try {
    await run();
  } finally {
    await rename(`${folder}.away`, folder);
  }
}
