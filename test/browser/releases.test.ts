import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ReleaseDetailJson, ReleaseStartedJson } from '../../core/api/release-json.ts';
import type { ApiClient, JsonTensor } from '../support/http-client.ts';
import { readSample } from '../support/platform-under-test.ts';
import { pushModel, withManifest } from '../support/push-model.ts';
import type { RunningPlatform } from '../support/running-platform.ts';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';
import { signIn, startWithConsole } from './support/console.ts';
import { type Load, startLoad } from './support/load.ts';

const MODEL = 'ticket-sentiment';
const TEXT: readonly JsonTensor[] = [
  { name: 'text', shape: [1], datatype: 'BYTES', data: ['It works again, thank you!'] },
];
const MARKUP = '<img src=x onerror="alert(1)"> & <b>bold</b>';
const soon = { hold: { seconds: 1, minRequests: 5 } };
/** Longer than any test waits. */
const long = { hold: { seconds: 3600, minRequests: 5 } };

describe.skipIf(!hasBrowser)('releases in the console', () => {
  let platform: RunningPlatform;
  let browser: TestBrowser;
  let acme: ApiClient;
  let operator: ApiClient;
  let load: Load | undefined;
  const pages: Page[] = [];

  beforeAll(async () => {
    [platform, browser] = await Promise.all([startWithConsole({ models: [MODEL], runners: 2 }), TestBrowser.launch()]);
    acme = await platform.addTenant('acme');
    operator = await platform.addKey(undefined);
  });
  afterEach(async () => {
    await load?.stop();
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

  /** A version that no other push has, over the one that is stable. */
  async function pushNext(description: string): Promise<string> {
    const answer = await pushModel(operator, withManifest(await readSample(MODEL), { description }));
    return answer.json<{ version: string }>().version;
  }

  async function start(version: string, steps: readonly object[], watch = { seconds: 3600 }): Promise<string> {
    const plan = { assignBy: 'request', steps, watch };
    const answer = await operator.post(`/control/v1/models/${MODEL}/releases`, { version, reason: 'better', plan });
    expect(answer.status).toBe(202);
    return answer.json<ReleaseStartedJson>().id;
  }

  const read = async (id: string) => (await operator.get(`/control/v1/releases/${id}`)).json<ReleaseDetailJson>();
  const abort = (id: string) => operator.post(`/control/v1/releases/${id}/verbs`, { verb: 'abort', reason: 'tidy up' });
  const bar = (page: Page) => page.getByRole('region', { name: 'State and actions' });

  /** What is shown moves nothing about, as figures and the time go on. */
  async function expectSettled(page: Page): Promise<void> {
    const history = page.getByRole('heading', { name: 'History' });
    const topOf = async () => (await history.boundingBox())!.y;
    const figures = page.getByRole('region', { name: 'Figures of both versions' });
    // A verdict has come, with all lines that it has.
    await page.getByText(/labels diverge/).waitFor();
    let shown = '';
    for (let changes = 0, top = await topOf(); changes < 3; changes += 1) {
      await expect.poll(() => figures.innerText()).not.toBe(shown);
      shown = await figures.innerText();
      expect(await topOf()).toBe(top);
    }
  }

  async function give(page: Page, verb: string, reason: string): Promise<void> {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill(reason);
    await dialog.getByRole('button', { name: verb, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  }

  test('are started by a form, move under real load, and go back with one click from anywhere', async () => {
    const version = await pushNext(`for the form ${MARKUP}`);
    load = startLoad(acme, MODEL, TEXT);
    const page = await open('/us/releases');
    await page.getByRole('button', { name: 'Start a release' }).click();
    await page.getByLabel('Model').fill('ticket');
    await page.getByRole('option', { name: MODEL }).click();
    await page.getByRole('button', { name: /^Version/ }).click();
    await page.getByRole('option', { name: `Version ${version}` }).click();
    await page.getByLabel('Reason').fill(MARKUP);
    await page.getByLabel('JSON of your own').check();
    const plan = {
      assignBy: 'request',
      steps: [{ shadow: 50, ...soon }, { setWeight: 30, ...long }, { setWeight: 100 }],
    };
    await page.getByRole('textbox', { name: 'Plan as JSON' }).fill(JSON.stringify(plan));
    await page.getByRole('button', { name: 'Start the release' }).click();

    await page.getByRole('heading', { level: 1, name: `${MODEL}: version ${version} over 1` }).waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    await bar(page).getByText(`version ${version} answers 30 % of requests`).waitFor();
    await expect.poll(() => load!.answered.get(version) ?? 0).toBeGreaterThan(5);
    const figures = page.getByRole('region', { name: 'Figures of both versions' });
    await expect.poll(() => figures.getByRole('row', { name: /^Requests/ }).innerText()).toMatch(/[1-9]\d*\s+[1-9]/);
    await page.getByText(/requests seen/).waitFor();
    await page.getByRole('slider', { name: 'Requests of both versions over time' }).waitFor();
    await expectSettled(page);
    // What was typed is text, in the history too.
    await page.getByRole('cell', { name: MARKUP }).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);

    await page.getByRole('heading', { name: 'History' }).scrollIntoViewIfNeeded();
    await bar(page).getByRole('button', { name: 'Abort' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`Sends 100 % of ${MODEL} back to version 1`).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement?.tagName')).toBe('INPUT');
    await page.keyboard.type(`not yet ${MARKUP}`);
    await page.keyboard.press('Enter');
    await bar(page).getByText('Rolled back: version 1 answers').waitFor();
    expect(await read(id)).toMatchObject({ state: 'rolled-back', serving: '1', why: `not yet ${MARKUP}` });
    // Everybody is off it within two seconds; what was on its way may still be answered by it.
    await expect.poll(async () => (await acme.infer(MODEL, TEXT)).header('sluice-model-version')).toBe('1');
    await expect
      .poll(async () => {
        const before = load!.answered.get(version);
        const stable = load!.answered.get('1') ?? 0;
        await expect.poll(() => load!.answered.get('1') ?? 0).toBeGreaterThan(stable + 20);
        return load!.answered.get(version) === before;
      })
      .toBe(true);
    await page.getByRole('navigation').getByRole('link', { name: 'Releases', exact: true }).first().click();
    await page.getByRole('heading', { level: 1, name: 'Releases' }).waitFor();
    await page.getByText('Rolled back').first().waitFor();
    await page.getByText(`not yet ${MARKUP}`).waitFor();
  });

  test('pass a gate of two people by two who signed in, and neither passes it alone', async () => {
    const version = await pushNext('for two');
    load = startLoad(acme, MODEL, TEXT);
    const id = await start(version, [{ setWeight: 20, ...soon }, { gate: { people: 2 } }, { setWeight: 100 }]);
    const ann = await open(`/us/releases/${id}`);
    await bar(ann).getByText('waits for 2 people to approve').waitFor();
    await bar(ann).getByRole('button', { name: 'Approve' }).click();
    await ann.getByRole('dialog').getByText('Somebody else must approve, too.').waitFor();
    await give(ann, 'Approve', 'numbers are fine');
    await bar(ann).getByText('waits for one more person to approve').waitFor();
    await ann.getByText(/You may not: you approved it before/).waitFor();
    expect(await bar(ann).getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    expect((await read(id)).state).toBe('gated');

    const bob = await open(`/us/releases/${id}`);
    await expect.poll(() => bob.getByRole('list', { name: 'Approvals' }).getByText('✓').count()).toBe(1);
    await bar(bob).getByRole('button', { name: 'Approve' }).click();
    await bob.getByRole('dialog').getByText(`Sends 100 % of ${MODEL} to version ${version}`).waitFor();
    await give(bob, 'Approve', 'agreed');
    await bar(bob).getByText(`Everybody is on version ${version}`).waitFor();
    await bar(ann).getByText(`Everybody is on version ${version}`).waitFor();

    await bar(bob).getByRole('button', { name: 'Promote' }).click();
    await bob.getByRole('menuitem', { name: 'Promote', exact: true }).click();
    await give(bob, 'Promote', 'watched long enough');
    await bar(bob).getByText(`Version ${version} answers`).waitFor();
    await expect
      .poll(async () => (await operator.get(`/control/v1/models/${MODEL}`)).json())
      .toMatchObject({ stable: version, active_release: null });
    const history = bob.getByRole('table').filter({ hasText: 'watched long enough' });
    for (const reason of ['numbers are fine', 'agreed']) await history.getByText(reason).first().waitFor();
    const undo = bar(bob).getByRole('button', { name: 'Undo' });
    await undo.click();
    await bob.getByRole('dialog').getByText('Version to go to').waitFor();
    await give(bob, 'Undo', 'back to where it was');
    await expect.poll(async () => (await read(id)).state).toBe('rolled-back');
  });

  test('are paused and resumed, and a verb that is given twice is done once', async () => {
    const version = await pushNext('to be paused');
    const id = await start(version, [{ gate: { people: 1 } }, { setWeight: 100 }]);
    const page = await open(`/us/releases/${id}`);
    await bar(page).getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByText('Say why.').waitFor();
    await dialog.getByLabel('Reason').fill('lunch');
    let lost = 0;
    // The first answer gets lost on its way; the viewer tries again.
    await page.route('**/verbs', async (route) => {
      if (lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      await route.abort('connectionreset');
    });
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByRole('alert').or(dialog.getByText('Code')).first().waitFor();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.waitFor({ state: 'detached' });
    await bar(page)
      .getByText(/^Paused at a gate/)
      .waitFor();
    const { items } = (await operator.get(`/control/v1/releases/${id}/audits`)).json<{ items: { what: string }[] }>();
    expect(items.filter(({ what }) => what === 'paused')).toHaveLength(1);
    await bar(page).getByRole('button', { name: 'Resume' }).click();
    await give(page, 'Resume', 'after lunch');
    await bar(page).getByText('Waiting for approval').waitFor();
    await abort(id);
    await bar(page).getByText('Rolled back: version 1 answers').waitFor();
  });

  test('that cannot be read any more are shown as they were, said to be old, and come back by themselves', async () => {
    const version = await pushNext('out of reach');
    const id = await start(version, [{ gate: { people: 1 } }, { setWeight: 100 }]);
    const page = await open(`/us/releases/${id}`);
    await bar(page).getByText('Waiting for approval').waitFor();
    await page.route(`**/control/v1/releases/${id}`, (route) => route.abort('connectionrefused'));
    await page.getByText(/^Not up to date/).waitFor();
    await bar(page).getByText('Waiting for approval').waitFor();
    // Steering does not depend on reading.
    await bar(page).getByRole('button', { name: 'Abort' }).click();
    await give(page, 'Abort', 'in the dark');
    expect((await read(id)).state).toBe('rolled-back');
    await page.unroute(`**/control/v1/releases/${id}`);
    await bar(page).getByText('Rolled back: version 1 answers').waitFor();
    await page.getByText(/^Not up to date/).waitFor({ state: 'detached' });
  });

  test('of a plan with mistakes are not started, and every mistake stands at the plan', async () => {
    const version = await pushNext('with mistakes');
    const page = await open(`/us/releases/start?model=${MODEL}&version=${version}`);
    await page.getByLabel('Reason').fill('better');
    await page.getByLabel('JSON of your own').check();
    const text = page.getByRole('textbox', { name: 'Plan as JSON' });
    await text.fill('{ "steps": [');
    await page.getByRole('button', { name: 'Start the release' }).click();
    await page.getByText(/^Not JSON/).waitFor();
    await text.fill(JSON.stringify({ steps: [{ setWeight: 50 }, { setWeight: 20 }], watch: { minutes: 5 } }));
    await page.getByRole('button', { name: 'Start the release' }).click();
    await page.getByText('steps.1: setWeight grows: 20 is not above 50 – in {"setWeight":20}').waitFor();
    await page.getByText(/^watch\.minutes/).waitFor();
    const { items } = (await operator.get('/control/v1/releases?state=active')).json<{ items: unknown[] }>();
    expect(items).toEqual([]);
  });

  test('are nothing for a tenant’s admin: neither the page nor what the API knows', async () => {
    const version = await pushNext('not for everybody');
    const id = await start(version, [{ gate: { people: 1 } }, { setWeight: 100 }]);
    const page = await browser.newPage();
    pages.push(page);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const key = await platform.newKey('acme', { role: 'tenant-admin' });
    await signIn(page, platform.region().url, key, `/us/releases/${id}`);
    await page.getByRole('heading', { name: 'Not for your role' }).waitFor();
    expect(await page.getByRole('navigation').getByRole('link', { name: 'Releases' }).count()).toBe(0);
    expect(asked.filter((path) => path.startsWith('/control/v1/releases'))).toEqual([]);
    const admin = platform.client(key);
    for (const path of ['', `/${id}`, `/${id}/audits`])
      expect((await admin.get(`/control/v1/releases${path}`)).status).toBe(403);
    await abort(id);
  });

  test.each([
    { width: 1280, dark: false },
    { width: 390, dark: true },
  ])('can be used by everyone: $width wide, dark $dark', async (options) => {
    const version = await pushNext(`for everyone ${options.width} ${options.dark}`);
    load = startLoad(acme, MODEL, TEXT);
    const id = await start(version, [{ setWeight: 50, ...long }, { setWeight: 100 }]);
    const page = await open('/us/releases', options);
    await page.getByRole('link', { name: MODEL }).first().waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.goto(`${platform.region().url}/console/us/releases/${id}`);
    await page.getByText(/requests seen/).waitFor();
    const figures = page.getByRole('region', { name: 'Figures of both versions' });
    await expect.poll(() => figures.getByRole('row', { name: /^Requests/ }).innerText()).toMatch(/[1-9]\d*\s+[1-9]/);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await bar(page).getByRole('button', { name: 'Abort' }).click();
    await page.getByRole('dialog').waitFor();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.goto(`${platform.region().url}/console/us/releases/start`);
    await page.getByLabel('With two people').check();
    await page.getByRole('textbox', { name: 'Plan as JSON' }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await abort(id);
  });
});
