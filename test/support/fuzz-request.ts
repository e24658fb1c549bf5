import fc from 'fast-check';
import { ROUTES } from '../../core/api/routes.ts';
import { type FuzzCallers, GOOD_CALLS, GOOD_INFER, mutated } from './fuzz-calls.ts';

/** One request as bytes, and what may be wrong with it as HTTP. */
export type FuzzRequest = {
  readonly method: string;
  readonly path: string;
  readonly head: string;
  readonly body: Uint8Array;
  /** The head cannot be parsed, or says something else of the body than what comes: then the parser may refuse, or close. */
  readonly isGarbage: boolean;
};

const PARAMS: Readonly<Record<string, readonly string[]>> = {
  model: ['row-sum', 'ticket-sentiment', 'nothing', 'Row-Sum', '..', 'a'.repeat(64)],
  version: ['1', '2', '0', 'latest', '99999999999'],
  prediction: [`pred_${'0'.repeat(32)}`, 'pred_1', ''],
  tenant: ['fuzzed', 'fuzz-other', 'nobody', 'x', 'FUZZED', 'a'.repeat(70)],
  plan: ['no-plan', 'x', '1'],
  key: ['fuzzed.00000000', 'x'],
  validation: [`val_${'0'.repeat(32)}`, 'val_1', ''],
  webhook: [`wh_${'0'.repeat(16)}`, 'wh_1', ''],
  delivery: [`msg_${'0'.repeat(32)}`, 'msg_1', ''],
  release: [`rel_${'0'.repeat(32)}`, 'rel_1', ''],
  letter: [`dl_${'0'.repeat(32)}`, 'dl_1', ''],
  upload: ['upl_0', `upl_${'0'.repeat(32)}`, '%2e%2e'],
};

const HEADER_NAMES = [
  'content-type',
  'content-encoding',
  'prefer',
  'idempotency-key',
  'inference-header-content-length',
  'sluice-tenant',
  'sluice-forwarded',
  'traceparent',
  'origin',
  'accept',
  'expect',
  'x-request-id',
  'cookie',
  'range',
  'if-none-match',
] as const;

const HEADER_VALUES = [
  'application/json',
  'application/octet-stream',
  'gzip',
  'respond-async',
  'respond-async, wait=1',
  'wait=0',
  'wait=-1; "',
  '"key"',
  '0',
  '12',
  '-1',
  '1e3',
  '99999999999999999999',
  'fuzzed',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '100-continue',
  'null',
  '',
] as const;

/** Text that may stand in a head: no control characters, which would end it. */
const headText = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);

const segment = fc.oneof(
  fc.constantFrom('', '.', '..', '%00', '%zz', '%2F', '%F0%9F', '~', 'infer', 'ready', 'a'.repeat(3000)),
  headText.map(encodeURIComponent),
);

const routePath = fc.constantFrom(...ROUTES).chain(({ path }) =>
  fc
    .tuple(
      ...path
        .slice(1)
        .split('/')
        .map((part) => (part.startsWith('{') ? paramOf(part.slice(1, -1)) : fc.constant(part))),
    )
    .map((parts) => `/${parts.join('/')}`),
);

function paramOf(name: string): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...(PARAMS[name] ?? [])), segment);
}

const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc
    .array(fc.tuple(fc.constantFrom('limit', 'cursor', 'issuer', 'token', 'x'), headText.map(encodeURIComponent)), {
      maxLength: 3,
    })
    .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
  fc.constantFrom('?', '?limit=2', '?limit=-1', '?limit=2&limit=3', '?%', `?cursor=${'a'.repeat(600)}`),
);

const path = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: routePath },
      fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`),
      fc.constantFrom(
        '/',
        '*',
        '//',
        'http://elsewhere/v2',
        '/v2/../../etc/passwd',
        '/dev/oidc/token',
        '/dev/oidc/jwks',
      ),
    ),
    query,
  )
  .map(([place, rest]) => place + rest);

const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS') },
  fc.constantFrom('TRACE', 'PROPFIND', 'get', 'QUERY', 'POSTT'),
  token,
);

/** Any case of a name: HTTP does not tell them apart. */
function mangled(name: string): fc.Arbitrary<string> {
  return fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((letter, i) => (upper[i] ? letter.toUpperCase() : letter)).join(''));
}

const header = fc.tuple(
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...HEADER_NAMES).chain(mangled) }, token),
  fc.oneof(fc.constantFrom(...HEADER_VALUES), headText, fc.constant('x'.repeat(20_000))),
);

const DEEP = [17, 20, 5000].map((depth) => `{"inputs":${'['.repeat(depth)}${']'.repeat(depth)}}`);

const text = fc.oneof(
  { weight: 4, arbitrary: mutated(GOOD_INFER) },
  fc.json(),
  fc.constantFrom('', '{', '[]', 'null', 'NaN', '"\ud800"', '{"__proto__":{"x":1},"inputs":[]}', ...DEEP),
);

const binaryBody = fc
  .tuple(mutated(GOOD_INFER), fc.uint8Array({ maxLength: 64 }))
  .map(([json, tail]) => [json, tail] as const);

const body: fc.Arbitrary<{ readonly bytes: Uint8Array; readonly headers: readonly (readonly [string, string])[] }> =
  fc.oneof(
    { weight: 5, arbitrary: text.map((value) => ({ bytes: Buffer.from(value), headers: [] })) },
    text.map((value) => ({ bytes: Buffer.from(value, 'utf16le'), headers: [] })),
    fc.tuple(text, fc.nat(200)).map(([value, end]) => ({ bytes: Buffer.from(value).subarray(0, end), headers: [] })),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes, headers: [] })),
    fc.tuple(binaryBody, fc.integer({ min: -2, max: 2 })).map(([[json, tail], off]) => ({
      bytes: Buffer.concat([Buffer.from(json), tail]),
      headers: [['Inference-Header-Content-Length', String(Buffer.byteLength(json) + off)]] as const,
    })),
  );

/** How the body is framed; every way but the first two is a lie. */
type Framing = 'length' | 'chunked' | 'short' | 'none' | 'both' | 'bad-length' | 'bad-chunk';

const framing = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Framing>('length') },
  { weight: 2, arbitrary: fc.constant<Framing>('chunked') },
  fc.constantFrom<Framing>('short', 'none', 'both', 'bad-length', 'bad-chunk'),
);

type Parts = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: { readonly bytes: Uint8Array; readonly headers: readonly (readonly [string, string])[] };
  readonly framing: Framing;
};

/** Requests of two kinds: anything at all, and calls that would succeed but for one thing in them. */
export function fuzzRequest(callers: FuzzCallers): fc.Arbitrary<FuzzRequest> {
  const authorization = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.values(callers)) },
    headText.map((value) => `Bearer ${value}`),
    headText,
  );
  const headers = fc.array(header, { maxLength: 6 });
  const anything: fc.Arbitrary<Parts> = fc.record({ method, path, authorization, headers, body, framing });
  const almost: fc.Arbitrary<Parts> = fc.constantFrom(...GOOD_CALLS).chain((call) =>
    fc.record({
      method: fc.constant(call.method),
      path: fc.constant(call.path),
      authorization: fc.constant(callers[call.by]),
      headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 1 })),
      body: mutated(call.body).map((json) => ({ bytes: Buffer.from(json), headers: [] })),
      framing: fc.constantFrom<Framing>('length', 'length', 'chunked'),
    }),
  );
  return fc.oneof(anything, almost).map(toRequest);
}

function toRequest(parts: Parts): FuzzRequest {
  const framed = frame(parts.framing, parts.body.bytes);
  const lines = [
    `${parts.method} ${parts.path} HTTP/1.1`,
    'Host: fuzz',
    'Connection: close',
    `Authorization: ${parts.authorization}`,
    ...[...parts.headers, ...parts.body.headers, ...framed.headers].map(([name, value]) => `${name}: ${value}`),
  ];
  return {
    method: parts.method,
    path: parts.path,
    head: `${lines.join('\r\n')}\r\n\r\n`,
    body: framed.bytes,
    isGarbage: framed.isGarbage || isLoose(parts.headers),
  };
}

/** Headers by chance that change how the message itself is read. */
function isLoose(headers: readonly (readonly [string, string])[]): boolean {
  return headers.some(([name]) => /^(content-length|transfer-encoding|host|connection|upgrade|expect)$/i.test(name));
}

type Framed = {
  readonly headers: readonly (readonly [string, string])[];
  readonly bytes: Uint8Array;
  readonly isGarbage: boolean;
};

function frame(kind: Framing, bytes: Uint8Array): Framed {
  const length = String(bytes.length);
  const chunked = Buffer.concat([
    ...(bytes.length === 0 ? [] : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);
  switch (kind) {
    case 'length':
      return { headers: [['Content-Length', length]], bytes, isGarbage: false };
    case 'chunked':
      return { headers: [['Transfer-Encoding', 'chunked']], bytes: chunked, isGarbage: false };
    case 'short':
      return { headers: [['Content-Length', String(bytes.length + 5)]], bytes, isGarbage: true };
    case 'none':
      return { headers: [], bytes, isGarbage: bytes.length > 0 };
    case 'both':
      return {
        headers: [
          ['Content-Length', length],
          ['Transfer-Encoding', 'chunked'],
        ],
        bytes: chunked,
        isGarbage: true,
      };
    case 'bad-length':
      return { headers: [['Content-Length', 'many']], bytes, isGarbage: true };
    case 'bad-chunk':
      return { headers: [['Transfer-Encoding', 'chunked']], bytes: Buffer.from('zz\r\nabc\r\n'), isGarbage: true };
  }
}
