import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium';

/** False, having said why, where this machine has no browser: tests that need one are skipped. */
export const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser)
  console.warn(`browser tests are skipped: there is no ${CHROMIUM} (apt-get install chromium, or SLUICE_CHROMIUM)`);

export type PageOptions = { readonly width?: number; readonly height?: number; readonly dark?: boolean };

/** A browser, and what its pages complained of: nothing may break the content security policy or throw. */
export class TestBrowser {
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<TestBrowser> {
    // Tests may run as root in a container, where Chromium's sandbox has no place.
    return new TestBrowser(
      await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] }),
    );
  }

  /** A page in a browser profile of its own: no cookie, no storage of others. */
  async newPage({ width = 1280, height = 900, dark = false }: PageOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(30_000);
    return this.open(context);
  }

  /** A further page of a profile. */
  async open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`thrown: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      // What the server refused is shown to the viewer; the browser notes it too.
      if (message.type() === 'error' && !text.startsWith('Failed to load resource')) this.complaints.push(text);
    });
    page.on('dialog', (dialog) => {
      this.complaints.push(`a dialog opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

let axeSource: string | undefined;

/** Fails where axe finds something serious or critical, naming rules and elements. */
export async function expectAccessible(page: Page): Promise<void> {
  axeSource ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axeSource);
  const results = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    return axe.run();
  });
  const serious = results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  expect(serious.join('\n'), page.url()).toBe('');
}

/** Nothing needs scrolling sideways, but for what scrolls within itself. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const root = 'document.documentElement';
  const tooWide = await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
  expect(tooWide, page.url()).toBeLessThanOrEqual(0);
}
