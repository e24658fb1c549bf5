import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createResolver } from '../../adapters/webhooks/resolve-name.ts';

const [A, AAAA] = [1, 28];
const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];

/** What a name server knows: addresses by name, or the code of its refusal. */
const ZONE: Readonly<Record<string, readonly string[] | number>> = {
  'both.example.com': ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
  'four.example.com': ['192.0.2.4'],
  'empty.example.com': [],
  'broken.example.com': SERVER_FAILURE,
};

let server: Socket;
let address: string;

beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (query, { port }) => server.send(answerTo(query), port, '127.0.0.1'));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${server.address().port}`;
});

afterAll(() => server.close());

/** The answer to a query with one question (RFC 1035, 4.1). */
function answerTo(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += 1 + query[at]!) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  const type = query.readUInt16BE(at + 1);
  const known = ZONE[labels.join('.')] ?? NO_SUCH_NAME;
  const addresses = typeof known === 'number' ? [] : known.filter((each) => isIPv4(each) === (type === A));
  const records = addresses.map((each) => {
    const data =
      type === A ? Buffer.from(each.split('.').map(Number)) : Buffer.from('20010db8000000000000000000000001', 'hex');
    const head = Buffer.from([0xc0, 12, 0, type === A ? A : AAAA, 0, 1, 0, 0, 0, 60, 0, data.length]);
    return Buffer.concat([head, data]);
  });
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8180 | (typeof known === 'number' ? known : NO_ERROR), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, at + 5), ...records]);
}

describe('a name', () => {
  it('stands for all addresses of both kinds that the name servers know', async () => {
    const resolve = createResolver('public', [address]);
    expect(await resolve('both.example.com')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    expect(await resolve('four.example.com')).toEqual(['192.0.2.4']);
  });

  it('stands for nothing if they do not know it or it has no address', async () => {
    const resolve = createResolver('public', [address]);
    for (const name of ['nobody.example.com', 'empty.example.com']) expect(await resolve(name)).toEqual([]);
  });

  it('is not resolved if they cannot tell', async () => {
    await expect(createResolver('public', [address])('broken.example.com')).rejects.toThrow();
  });

  it('of this machine alone stands for nothing, unless in development', async () => {
    expect(await createResolver('public', [address])('localhost')).not.toContain('127.0.0.1');
    expect(await createResolver('anywhere')('localhost')).toContain('127.0.0.1');
  });
});
