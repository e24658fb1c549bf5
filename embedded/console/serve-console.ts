import { DEV_ISSUER_PATH } from '../../adapters/identity/dev-issuer.ts';
import { CONSOLE_CLIENT } from '../../adapters/identity/dev-sign-in.ts';
import { CONSOLE_PERMISSIONS, CONSOLE_RETURNS, consolePolicy } from '../../core/api/console-policy.ts';
import type { HttpAnswer, HttpHandler } from '../../lambdas/middleware/http-handler.ts';
import type { Extra } from '../find-target.ts';
import type { ConsoleSource } from './console-build.ts';
import type { ConsoleFile, ConsoleFiles } from './console-files.ts';

export const CONSOLE_PATH = '/console';
/** A year: names of these files change with their bytes. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

export type ConsoleOptions = {
  readonly source: ConsoleSource;
  readonly region: string;
  /** As they are now. */
  readonly regionUrls: Readonly<Record<string, string>>;
};

/** Where the development issuers of this host may send codes: to the consoles that its regions serve. */
export function consoleReturns(regionUrls: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(regionUrls).flatMap((url) => CONSOLE_RETURNS.map((page) => `${url}${CONSOLE_PATH}/${page}`));
}

/** Serves the console under `/console`, with what it is told at run time in `/console/config.json`. */
export function createConsole(options: ConsoleOptions): readonly Extra[] {
  const handler: HttpHandler = async (event) => {
    const isHead = event.httpMethod === 'HEAD';
    if (event.httpMethod !== 'GET' && !isHead) return text(405, 'Only GET and HEAD', { Allow: 'GET, HEAD' });
    const header = (wanted: string) =>
      Object.entries(event.headers).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
    const answer = answerPath(options, event.path, header);
    return isHead ? withoutBody(answer) : answer;
  };
  return [CONSOLE_PATH, `${CONSOLE_PATH}/`].map((prefix) => ({ prefix, handler }));
}

type Header = (name: string) => string;

function answerPath(options: ConsoleOptions, path: string, header: Header): HttpAnswer {
  const home = options.regionUrls[options.region] ?? '';
  const host = header('host');
  const place = path.slice(CONSOLE_PATH.length);
  // Tokens, cookies and CORS go by the address: localhost is another one than 127.0.0.1.
  if (host !== '' && host !== new URL(home).host && !isEveryAddress(home)) return redirect(`${home}${path}`);
  if (place === '') return redirect(`${CONSOLE_PATH}/`);
  if (place === '/config.json') return config(options);
  const { state } = options.source;
  if (state.kind !== 'ready') return notReady(state.kind === 'failed' ? state.why : undefined);
  return answerFile(state.files, place.slice(1), header, options.regionUrls);
}

function isEveryAddress(url: string): boolean {
  return /^http:\/\/(0\.0\.0\.0|\[::\])(:|$)/.test(url);
}

/** A file by its name; the page itself for any other place, as places are the page's own, but not for a missing asset. */
function answerFile(
  files: ConsoleFiles,
  name: string,
  header: Header,
  regionUrls: Readonly<Record<string, string>>,
): HttpAnswer {
  const isAsset = name.startsWith('assets/');
  const found = files.get(name) ?? (isAsset ? undefined : files.get('index.html'));
  if (found === undefined) return text(404, 'No such file');
  const headers: Record<string, string> = {
    'Content-Type': found.contentType,
    'Cache-Control': isAsset ? IMMUTABLE : 'no-cache',
    ETag: found.etag,
    Vary: 'Accept-Encoding',
    ...(found.contentType.startsWith('text/html') ? pageHeaders(name === 'silent.html', regionUrls) : {}),
    ...ALWAYS,
  };
  if (sameAs(header('if-none-match'), found.etag)) return { status: 304, headers, body: '' };
  return { status: 200, headers, body: encoded(found, header('accept-encoding'), headers) };
}

function encoded(file: ConsoleFile, accepted: string, headers: Record<string, string>): Uint8Array {
  if (file.gzipped === undefined || !/(^|[, ])gzip(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted)) return file.bytes;
  headers['Content-Encoding'] = 'gzip';
  return file.gzipped;
}

function sameAs(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

const ALWAYS = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

/** Data goes to the regions and their issuers alone; only the page that a silent sign-in comes back to may be in a frame. */
function pageHeaders(mayBeFramed: boolean, regionUrls: Readonly<Record<string, string>>): Record<string, string> {
  const origins = Object.values(regionUrls);
  return {
    'Content-Security-Policy': consolePolicy({ connect: origins, frame: origins }, mayBeFramed),
    'Permissions-Policy': CONSOLE_PERMISSIONS,
  };
}

function config({ region, regionUrls }: ConsoleOptions): HttpAnswer {
  const regions = Object.entries(regionUrls).map(([id, url]) => ({
    id,
    url,
    issuer: `${url}${DEV_ISSUER_PATH}`,
    client_id: CONSOLE_CLIENT,
    scope: 'openid',
    token: 'access',
  }));
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...ALWAYS };
  return { status: 200, headers, body: JSON.stringify({ region, regions }) };
}

/** A page without script that asks again by itself. */
function notReady(why: string | undefined): HttpAnswer {
  const says =
    why === undefined
      ? 'The console is being built; it opens in a moment.'
      : 'The console could not be built: see the log.';
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="${why === undefined ? 1 : 10}"><title>Sluice</title></head>
<body><p>${says}</p></body></html>
`;
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    'Retry-After': '1',
    ...ALWAYS,
  };
  return { status: 503, headers, body };
}

function redirect(location: string): HttpAnswer {
  return { status: 307, headers: { Location: location, 'Cache-Control': 'no-store', ...ALWAYS }, body: '' };
}

function text(status: number, body: string, more: Record<string, string> = {}): HttpAnswer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...ALWAYS, ...more };
  return { status, headers, body };
}

function withoutBody(answer: HttpAnswer): HttpAnswer {
  return { ...answer, body: '' };
}
