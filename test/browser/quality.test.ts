import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiClient, type InferJson, texts } from '../support/http-client.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  hasBrowser,
  type PageOptions,
  TestBrowser,
} from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';

const TEXTS = [
  'Thank you so much, this works perfectly!',
  'This is broken again and I am furious.',
  'It is the third item of the list.',
  'What a great help!',
  'I hate it.',
  'It is on page two.',
];
/** Enough for a comparison, of one label alone. */
const DRIFTED_ROWS = 320;

describe.skipIf(!hasBrowser)('quality in the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let operatorKey: string;
  let acme: ApiClient;
  let page: Page;
  let wrong = 0;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({ models: ['ticket-sentiment'], runners: 1 }),
      TestBrowser.launch(),
    ]);
    operatorKey = await platform.newKey(undefined);
    acme = await platform.addTenant('acme');
    await platform.addTenant('globex');
    for (const text of TEXTS) await tellTruth(text, 'positive');
    for (let row = 0; row < DRIFTED_ROWS; row += 16)
      expect((await acme.infer('ticket-sentiment', texts('text', ...new Array(16).fill('Thank you!')))).status).toBe(
        200,
      );
  });
  afterEach(async () => {
    await page?.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  /** Asks, and tells afterwards that it was a label. */
  async function tellTruth(text: string, label: string): Promise<void> {
    const answer = await acme.infer('ticket-sentiment', texts('text', text));
    const [output] = answer.json<InferJson>().outputs;
    if (output?.data?.[0] !== label) wrong += 1;
    const path = `/v2/predictions/${answer.header('sluice-prediction')}/feedback`;
    // It is kept behind the answer.
    await vi.waitFor(async () => expect((await acme.post(path, { label })).status).toBe(201));
  }

  const open = async (
    path: string,
    { key = operatorKey, ...options }: PageOptions & { readonly key?: string } = {},
  ) => {
    page = await browser.newPage(options);
    await signIn(page, platform.region().url, key, `/us${path}`);
  };

  test('shows how often the version was right, and what it took for what', async () => {
    await open('/quality/ticket-sentiment');
    const accuracy = `${(((TEXTS.length - wrong) / TEXTS.length) * 100).toFixed(1).replace(/\.0$/, '')} %`;
    await expect
      .poll(
        async () => {
          await page.reload();
          await page.getByRole('heading', { name: 'Feedback' }).waitFor();
          return page.getByText(accuracy, { exact: true }).count();
        },
        { timeout: 60_000, interval: 2_000 },
      )
      .toBeGreaterThan(0);
    await page.getByRole('region', { name: 'Confusion matrix' }).getByRole('rowheader', { name: 'positive' }).waitFor();
  });

  test('a version that is asked otherwise than its training data is seen to drift once it is looked at', async () => {
    await open('/quality/ticket-sentiment');
    // Workers and handlers write what they counted every few seconds.
    await vi.waitFor(async () => {
      await page.getByRole('button', { name: 'Check now' }).click();
      await page.getByText(/the window that is under way/).waitFor();
      expect(await page.getByRole('row', { name: /^Labels .*drifted/ }).count()).toBe(1);
    }, 50_000);
    await page.getByRole('region', { name: 'Labels' }).getByText('negative').waitFor();
  });

  test('another reference is chosen', async () => {
    await open('/quality/ticket-sentiment');
    await page.getByRole('button', { name: 'Choose the reference' }).click();
    await page.getByText('Validation', { exact: true }).click();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Choose', exact: true }).click();
    await page.getByText(/is compared with it from the next window on/).waitFor();
    await page.getByText(/what validation saw/).waitFor();
  });

  test('a tenant-admin sees how right it was for the own tenant alone', async () => {
    const key = await platform.newKey('globex', { role: 'tenant-admin' });
    await open('/quality', { key });
    await page.getByRole('link', { name: 'ticket-sentiment' }).click();
    await page.getByText(/No true labels were told in this span/).waitFor();
    expect(await page.getByRole('button', { name: 'Check now' }).count()).toBe(0);
    expect(await page.getByText('acme').count()).toBe(0);
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    await open('/quality', options);
    await page.getByRole('link', { name: 'ticket-sentiment' }).waitFor();
    await check();
    await page.getByRole('link', { name: 'ticket-sentiment' }).click();
    await page.getByRole('region', { name: 'Confusion matrix' }).waitFor();
    await check();
  });

  const check = async () => {
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  };
});
