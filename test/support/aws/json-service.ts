import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a service answers to one operation; an error is named by `__type`. */
export type JsonAnswer = { readonly status: number; readonly body: object };

export type JsonService = { readonly url: string; stop(): Promise<void> };

/** A service of the JSON protocol of AWS (1.1), over the wire. */
export async function startJsonService(
  answer: (operation: string, input: Readonly<Record<string, unknown>>) => JsonAnswer,
): Promise<JsonService> {
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1)!;
    const { status, body } = answer(operation, JSON.parse(await text(request)) as Record<string, unknown>);
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function refusal(name: string): JsonAnswer {
  return { status: 400, body: { __type: name, message: name } };
}
