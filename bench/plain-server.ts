import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { InferenceSession } from 'onnxruntime-node';
import type { GoldenTensor } from '../models/golden.ts';
import { toFeeds } from './tensors.ts';

/*
 * What one writes in an afternoon: node:http and onnxruntime-node in one process, a run a request, no tenant, no quota,
 * no batch. Arguments: the model file and onnxruntime's threads. Prints its port.
 */
const [modelPath = '', threads = '1'] = process.argv.slice(2);
const session = await InferenceSession.create(modelPath, { intraOpNumThreads: Number(threads), logSeverityLevel: 4 });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { inputs } = JSON.parse(Buffer.concat(chunks).toString()) as { inputs: GoldenTensor[] };
  const results = await session.run(toFeeds(inputs));
  const outputs = session.outputNames.map((name) => {
    const { dims, type, data } = results[name]!;
    return { name, shape: dims, datatype: type, data: Array.from(data as Float32Array) };
  });
  const body = JSON.stringify({ outputs });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(500, { 'content-length': 0 }).end());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
