import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ModelVersion } from '../../core/models/version.ts';
import { echoText } from '../support/echo-models.ts';
import type { ApiClient, InferJson } from '../support/http-client.ts';
import { readSample } from '../support/platform-under-test.ts';
import { pushAndFollow, pushModel, withManifest } from '../support/push-model.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';

const MARKUP = '<img src=x onerror="alert(1)"> & <b>bold</b>';
const MANY = 1000;

describe.skipIf(!hasBrowser)('models in the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let acme: ApiClient;
  let operator: ApiClient;
  const pages: Page[] = [];

  beforeAll(async () => {
    [platform, browser] = await Promise.all([
      startWithConsole({
        models: ['row-sum', 'ticket-sentiment', withManifest(echoText('echo-cached'), { cache: { seconds: 60 } })],
        runners: 1,
      }),
      TestBrowser.launch(),
    ]);
    acme = await platform.addTenant('acme');
    operator = await platform.addKey(undefined);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    expect(browser.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.end();
  });

  async function open(path: string, options: Parameters<TestBrowser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage(options);
    pages.push(page);
    await signIn(page, platform.region().url, await platform.newKey(undefined), path);
    return page;
  }

  /** Versions that differ from the first one of a model in nothing but what names them. */
  async function addMany(model: string, count: number): Promise<void> {
    const { registry } = platform.region().platform;
    const { version: _, ...first } = (await registry.readVersion('row-sum', '1'))!;
    const add = (at: number) => {
      const digest = `${model} ${at}`.replaceAll(/[^0-9a-f]/g, 'a').padEnd(56, '0') + String(at).padStart(8, '0');
      const version: Omit<ModelVersion, 'version'> = { ...first, model, digest };
      return registry.addVersion({ ...version, manifest: { ...first.manifest, name: model } });
    };
    for (let at = 0; at < count; at += 100)
      await Promise.all(Array.from({ length: 100 }, (_each, more) => add(at + more)));
  }

  async function choose(page: Page, tenant: string): Promise<void> {
    await page.getByLabel('Tenant').fill(tenant.slice(0, 2));
    await page.getByRole('option', { name: tenant }).click();
  }

  const answers = (page: Page) => page.getByRole('table', { name: 'Outputs' });

  test('shows a version that was pushed with all that validation found, and what its makers wrote as text', async () => {
    const files = withManifest(await readSample('ticket-sentiment'), { description: MARKUP, provenance: MARKUP });
    const { version } = (await pushModel(operator, files)).json<{ version: string }>();
    const page = await open('/us/models');
    await page.getByRole('link', { name: 'ticket-sentiment' }).click();
    await page
      .getByRole('table')
      .getByRole('link', { name: `Version ${version}` })
      .click();
    await page.getByRole('heading', { level: 1, name: `Version ${version}` }).waitFor();
    await expect.poll(() => page.getByText(MARKUP).count()).toBeGreaterThanOrEqual(2);
    await page.getByText('8 answered, exactly').waitFor();
    await page.getByText('No: a row is answered alike whatever is in its run.').waitFor();
    const checks = page.getByRole('table').filter({ hasText: 'What was found' });
    await expect.poll(() => checks.getByRole('row').count()).toBe(12);
    await page.getByRole('img', { name: /^Duration of runs by rows/ }).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await page.getByRole('tab', { name: 'Manifest' }).click();
    await page.getByText(/"tolerance"/).waitFor();
  });

  test('shows why a push was refused, and goes on serving what was there', async () => {
    const sample = await readSample('row-sum');
    const golden = sample.golden.replace('"data":[10]', '"data":[77]');
    expect(golden).not.toBe(sample.golden);
    expect(await pushAndFollow(operator, { ...sample, golden })).toMatchObject({ state: 'refused' });
    const page = await open('/us/models/row-sum?tab=pushes');
    const refused = page.getByRole('row').filter({ hasText: 'Refused' });
    await refused.getByText(/Golden outputs do not match: .*pair 1/).waitFor();
    await refused.getByText('golden-mismatch').waitFor();
    await page.getByRole('link', { name: 'Version 1' }).first().waitFor();
  });

  test('tries a model of texts as its callers do: the answer is the API’s own, and the command holds no token', async () => {
    const texts = ['Thank you, it works!', 'Terrible, I hate it.'];
    const page = await open('/us/models/ticket-sentiment?tab=try');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('Choose a tenant.').waitFor();
    await page.getByText('Type a text.').waitFor();
    await choose(page, 'acme');
    await page.getByRole('textbox', { name: /^text/ }).fill(texts.join('\n'));
    await page.getByText('Each line is a row').click();
    await page.getByRole('button', { name: 'Predict' }).click();
    const answer = await acme.infer('ticket-sentiment', [{ name: 'text', shape: [2], datatype: 'BYTES', data: texts }]);
    const [label] = answer.json<InferJson>().outputs;
    for (const [at, said] of (label!.data as string[]).entries())
      await answers(page)
        .getByRole('row')
        .nth(at + 1)
        .getByText(said)
        .waitFor();
    await page.getByText('ticket-sentiment, version 1').waitFor();
    const command = await page.locator('pre', { hasText: 'curl' }).innerText();
    expect(command).toContain('$SLUICE_KEY');
    expect(command).toContain('"data":["Thank you, it works!","Terrible, I hate it."]');
    expect(command).not.toContain('eyJ');
    expect(command).not.toContain('slk_');
  });

  test('tries a model of numbers, says which shapes do not fit, and shows what the cache and a version answered', async () => {
    const page = await open('/us/models/row-sum/versions/1?tab=try');
    await choose(page, 'acme');
    const x = page.getByRole('textbox', { name: /^x FP32 \[batch, 4\]/ });
    await x.fill('1, 2, 3');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('3 values in the shape [3] do not fit [batch, 4].').waitFor();
    await x.fill('1, 2, 3, 4\n10 20 30 40.5');
    await page.getByText('Shape [2, 4]').waitFor();
    await page.getByRole('button', { name: 'Predict' }).click();
    await answers(page).getByRole('cell', { name: '10', exact: true }).waitFor();
    await answers(page).getByText('101', { exact: false }).waitFor();
    expect(await page.locator('pre', { hasText: 'curl' }).innerText()).toContain('/v2/models/row-sum/versions/1/infer');

    await page.goto(`${platform.region().url}/console/us/models/echo-cached?tab=try`);
    await choose(page, 'acme');
    await page.getByRole('textbox', { name: /^text/ }).fill(MARKUP);
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('computed, now cached').waitFor();
    await answers(page).getByText(MARKUP).waitFor();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('from the cache').waitFor();
    await page.getByText('Compute anew, whatever the cache holds').click();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('computed anew').waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
  });

  test('says what the API refuses of a request: a tenant that is not there', async () => {
    const page = await open('/us/models/row-sum?tab=try');
    await page.getByLabel('Tenant').fill('nobody-here');
    await page.getByRole('heading', { name: 'Request' }).click();
    await page.getByRole('button', { name: 'Fill with an example' }).click();
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('tenant-unknown').waitFor();
  });

  test('shows a thousand versions a page at a time, and asks for no more than it shows', async () => {
    await addMany('many-versions', MANY);
    const asked: { items: number; bytes: number }[] = [];
    const page = await open('/us/models');
    page.on('response', async (response) => {
      if (!response.url().includes('/versions?')) return;
      const body = await response.body().catch(() => Buffer.alloc(0));
      if (body.length > 0) asked.push({ items: JSON.parse(body.toString()).items.length, bytes: body.length });
    });
    await page
      .getByRole('textbox', { name: /^Find models/ })
      .or(page.getByRole('searchbox'))
      .first()
      .fill('many');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('link', { name: 'many-versions' }).click();
    await page
      .getByRole('link', { name: `Version ${MANY}` })
      .first()
      .waitFor();
    const table = page.getByRole('table');
    await expect.poll(() => table.getByRole('row').count()).toBe(21);
    const startedMs = performance.now();
    for (let turn = 1; turn <= 3; turn += 1) {
      await page.getByRole('button', { name: 'Next page' }).click();
      await table.getByRole('link', { name: `Version ${MANY - 20 * turn}` }).waitFor();
    }
    // Three pages in the time in which a page that held them all would draw one: generous, as the machine is shared.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await expect.poll(() => table.getByRole('row').count()).toBe(21);
    await page.getByRole('button', { name: 'Page 1' }).click();
    await table.getByRole('link', { name: `Version ${MANY}` }).waitFor();
    expect(asked.length).toBeGreaterThanOrEqual(4);
    for (const { items, bytes } of asked) {
      expect(items).toBeLessThanOrEqual(50);
      expect(bytes).toBeLessThan(300_000);
    }
  });

  test('makes a version stable after saying what that does, and not while a release decides', async () => {
    await addMany('by-hand', 100);
    const page = await open('/us/models/by-hand/versions/7');
    await page.getByRole('button', { name: 'Make stable' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Sends 100 % of by-hand from nowhere to version 7').waitFor();
    await dialog.getByRole('button', { name: 'Make stable' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await operator.get('/control/v1/models/by-hand')).json()).toMatchObject({ stable: '7' });
    await expect.poll(() => page.getByRole('button', { name: 'Make stable' }).isDisabled()).toBe(true);
    const plan = { steps: [{ gate: { people: 1 } }, { setWeight: 100 }] };
    const body = { version: '8', reason: 'better', plan };
    expect((await operator.post('/control/v1/models/by-hand/releases', body)).status).toBe(202);
    await page.goto(`${platform.region().url}/console/us/models/by-hand/versions/9`);
    await expect.poll(() => page.getByRole('button', { name: 'Make stable' }).isDisabled()).toBe(true);
    await page.goto(`${platform.region().url}/console/us/models/by-hand?tab=releases`);
    await page.getByRole('link', { name: '7 → 8' }).click();
    await page.getByRole('heading', { level: 1, name: 'by-hand: version 8 over 7' }).waitFor();
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    const page = await open('/us/models', options);
    const check = async () => {
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    };
    await page.getByRole('link', { name: 'row-sum' }).waitFor();
    await check();
    await acme.infer('row-sum', [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }]);
    for (const [tab, shown] of [
      ['versions', 'Version 1'],
      ['metrics', 'Requests a minute'],
      ['try', 'The same from a terminal'],
      ['releases', 'Reason'],
      ['pushes', 'Of the last 30 days, the newest first.'],
      ['pins', 'Pinned tenants'],
    ] as const) {
      await page.goto(`${platform.region().url}/console/us/models/row-sum?tab=${tab}`);
      await page.getByRole('tabpanel').getByText(shown).first().waitFor();
      await check();
    }
    await page.goto(`${platform.region().url}/console/us/models/ticket-sentiment/versions/1`);
    await page.getByRole('heading', { name: 'Where it comes from' }).waitFor();
    await check();
  });
});
