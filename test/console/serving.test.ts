import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConsoleState } from '../../embedded/console/console-build.ts';
import type { ConsoleFile } from '../../embedded/console/console-files.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

function file(contentType: string, text: string, gzipped?: string): ConsoleFile {
  return {
    contentType,
    etag: `"${text}"`,
    bytes: Buffer.from(text),
    gzipped: gzipped === undefined ? undefined : Buffer.from(gzipped),
  };
}

const READY: ConsoleState = {
  kind: 'ready',
  files: new Map([
    ['index.html', file('text/html; charset=utf-8', 'the page')],
    ['silent.html', file('text/html; charset=utf-8', 'silent')],
    ['assets/app-1a2b.js', file('text/javascript; charset=utf-8', 'script', 'zipped')],
  ]),
};

type Answer = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: string };

describe('the console as a region serves it', () => {
  const source: { state: ConsoleState } = { state: { kind: 'building' } };
  let platform: RunningPlatform;

  beforeAll(async () => {
    platform = await startRunning({ regions: ['us', 'eu'], runners: 1, console: source });
  });
  afterAll(() => platform.end());

  /** As written: fetch would take dots out of a path. */
  function ask(path: string, headers: Record<string, string> = {}, method = 'GET', region = 'us'): Promise<Answer> {
    const { hostname, port } = new URL(platform.region(region).url);
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path, method, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  test('is a small page that asks again by itself until it is built, and then says why it was not', async () => {
    source.state = { kind: 'building' };
    const early = await ask('/console/us/overview');
    expect(early).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } });
    expect(early.body).toContain('http-equiv="refresh"');
    expect(early.body).not.toContain('<script');
    source.state = { kind: 'failed', why: 'secret detail' };
    expect((await ask('/console/')).body).toContain('could not be built');
    expect((await ask('/console/')).body).not.toContain('secret detail');
    source.state = READY;
    expect(await ask('/console/')).toMatchObject({ status: 200, body: 'the page' });
  });

  test('is its page at every place of it, and nothing else at places of others', async () => {
    source.state = READY;
    expect((await ask('/console')).headers.location).toBe('/console/');
    for (const place of ['/console/us/releases/rel_1', '/console/callback?code=1']) {
      expect(await ask(place), place).toMatchObject({ status: 200, body: 'the page' });
    }
    expect((await ask('/consoles')).status).toBe(404);
    expect((await ask('/control/v1/nothing')).status).toBe(404);
  });

  test('lets no path out of its folder, and takes no missing asset for a page', async () => {
    source.state = READY;
    for (const path of [
      '/console/assets/../../package.json',
      '/console/assets/%2e%2e/%2e%2e/package.json',
      '/console/assets/missing.js',
    ]) {
      expect(await ask(path), path).toMatchObject({ status: 404, body: 'No such file' });
    }
    expect((await ask('/console/../package.json')).body).not.toContain('dependencies');
  });

  test('lets scripts and styles of its own host alone run, and talk to its regions alone', async () => {
    source.state = READY;
    const urls = [platform.region('us').url, platform.region('eu').url].join(' ');
    const policy = (await ask('/console/')).headers['content-security-policy'];
    expect(policy).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self' ${urls}; frame-src 'self' ${urls}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect((await ask('/console/silent.html')).headers['content-security-policy']).toMatch(/frame-ancestors 'self'$/);
    expect((await ask('/console/')).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  test('is kept for ever where its name says what it is, and asked about anew elsewhere', async () => {
    source.state = READY;
    const asset = await ask('/console/assets/app-1a2b.js');
    expect(asset.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', etag: '"script"' });
    expect((await ask('/console/')).headers['cache-control']).toBe('no-cache');
    const again = await ask('/console/', { 'if-none-match': '"other", W/"the page"' });
    expect(again).toMatchObject({ status: 304, body: '' });
    const head = await ask('/console/', {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(await ask('/console/', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('is compressed for who takes that', async () => {
    source.state = READY;
    const path = '/console/assets/app-1a2b.js';
    const zipped = { body: 'zipped', headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } };
    expect(await ask(path, { 'accept-encoding': 'gzip, deflate, br' })).toMatchObject(zipped);
    for (const accepted of ['br', 'gzip;q=0', '']) {
      expect((await ask(path, { 'accept-encoding': accepted })).body, accepted).toBe('script');
    }
  });

  test('is told the regions of this host, and begins at the one that serves it', async () => {
    const [us, eu] = [platform.region('us').url, platform.region('eu').url];
    const { body } = await ask('/console/config.json', {}, 'GET', 'eu');
    expect(JSON.parse(body)).toEqual({
      region: 'eu',
      regions: [us, eu].map((url, place) => ({
        id: ['us', 'eu'][place],
        url,
        issuer: `${url}/dev/oidc`,
        client_id: 'sluice-console',
        scope: 'openid',
        token: 'access',
      })),
    });
  });

  test('may call the other regions, which other pages may not', async () => {
    const { url } = platform.region('us');
    const authorization = `Bearer ${await platform.newKey(undefined, {}, 'eu')}`;
    const ofOrigin = async (origin: string) =>
      (await ask('/control/v1/overview', { origin, authorization }, 'GET', 'eu')).headers[
        'access-control-allow-origin'
      ];
    expect(await ofOrigin(url)).toBe(url);
    expect(await ofOrigin('https://evil.example')).toBeUndefined();
  });

  test('has one address: under another name of the host its sign-in would not work', async () => {
    const { url } = platform.region('us');
    const answer = await ask('/console/us/overview', { host: `localhost:${new URL(url).port}` });
    expect(answer).toMatchObject({ status: 307, headers: { location: `${url}/console/us/overview` } });
  });
});
