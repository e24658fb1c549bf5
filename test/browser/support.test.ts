import { describe, expect, test } from 'vitest';
import { expectAccessible, expectNoSidewaysScroll, hasBrowser, TestBrowser } from './support/browser.ts';

describe.skipIf(!hasBrowser)('what browser tests look for', () => {
  test('is found where it is wrong: names and contrast that are missing, what is too wide, and what breaks the policy', async () => {
    const browser = await TestBrowser.launch();
    try {
      const page = await browser.newPage({ width: 390 });
      await page.setContent('<html lang="en"><title>t</title><main><button></button></main></html>');
      await expect(expectAccessible(page)).rejects.toThrow('button-name');
      await page.setContent('<html lang="en"><title>t</title><main style="color:#ccc">pale</main></html>');
      await expect(expectAccessible(page)).rejects.toThrow('color-contrast');
      await page.setContent('<div style="width:900px">wide</div>');
      await expect(expectNoSidewaysScroll(page)).rejects.toThrow();
      const policy = `<meta http-equiv="Content-Security-Policy" content="script-src 'none'">`;
      await page.setContent(`${policy}<img src="x:" onerror="alert(1)">`);
      await expect.poll(() => browser.complaints.join()).toContain('Content Security Policy');
    } finally {
      await browser.close();
    }
  });
});
