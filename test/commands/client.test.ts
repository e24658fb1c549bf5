import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { request } from '../../bin/client.ts';

test('commands ask below the path that a region is at, with or without a slash at its end', async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer((asked, response) => {
    paths.push(asked.url);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const url of [base, `${base}/live`, `${base}/live/`]) {
    await request({ url, apiKey: 'slk' }, 'GET', '/control/v1/plans?limit=1');
  }
  server.closeAllConnections();
  server.close();
  const path = '/control/v1/plans?limit=1';
  expect(paths).toEqual([path, `/live${path}`, `/live${path}`]);
});
