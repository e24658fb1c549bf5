import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { ConsoleBuild } from '../../../embedded/console/console-build.ts';
import { type RunningOptions, type RunningPlatform, startRunning } from '../../support/running-platform.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The embedded platform with the console as it is built from this repository. */
export async function startWithConsole(options: RunningOptions = {}): Promise<RunningPlatform> {
  const build = new ConsoleBuild(ROOT, () => undefined);
  await build.prepare();
  const { state } = build;
  if (state.kind === 'failed') throw new Error(state.why);
  return startRunning({ ...options, console: build });
}

/** Opens a page of the console, `/overview` of a region, and signs in by the page of the development issuer. */
export async function signIn(page: Page, url: string, key: string, path = ''): Promise<void> {
  await page.goto(`${url}/console${path}`);
  await page.getByRole('button', { name: /^Sign in/ }).click();
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: /^Signed in as/ }).waitFor();
}

/** Goes to another page as the viewer does, without loading the console anew. */
export async function follow(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}
