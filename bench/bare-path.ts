import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { availableParallelism } from 'node:os';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { ModelRunner } from '../adapters/onnx/model-runner.ts';
import type { Tensor } from '../core/inference/tensor.ts';
import { spawnRunner } from '../gpu-worker/runner-process.ts';

/*
 * The bare path: the event loop of a gateway with nothing that makes it a platform. node:http, JSON.parse, rows that wait
 * while runners are busy go together to an idle runner process, and back. No tenant, key, quota, validation, fairness,
 * deadline or log. For FP32 inputs of one shape, as row-sum's. Argument: the model file. Prints its port.
 */
const HANDLE = 1;
const MOST_ROWS = 64;
const DEADLINE_MS = 10_000;

type Waiting = { readonly input: JsonTensor; readonly response: ServerResponse };
type JsonTensor = { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] };

const [modelPath = ''] = process.argv.slice(2);
const clock = new SystemClock();
const waiting: Waiting[] = [];
const idle: ModelRunner[] = [];
let planned = false;

for (let count = 0; count < availableParallelism(); count += 1) {
  const runner = spawnRunner({ provider: 'cpu', intraOpThreads: 1, environment: {} }, clock);
  const loaded = await runner.load(HANDLE, modelPath, clock.nowMs() + DEADLINE_MS);
  if (loaded.kind !== 'loaded') throw new Error(`the model did not load: ${loaded.kind}`);
  idle.push(runner);
}

/** Once per turn of the event loop, so that what arrived together runs together. */
function plan(): void {
  if (planned) return;
  planned = true;
  setImmediate(() => {
    planned = false;
    while (idle.length > 0 && waiting.length > 0) void run(idle.pop()!, waiting.splice(0, MOST_ROWS));
  });
}

async function run(runner: ModelRunner, batch: readonly Waiting[]): Promise<void> {
  const { name, shape } = batch[0]!.input;
  const data = Float32Array.from(batch.flatMap(({ input }) => input.data));
  const input: Tensor = { name, datatype: 'FP32', shape: [batch.length, ...shape.slice(1)], data };
  const answer = await runner.run(HANDLE, [input], clock.nowMs() + DEADLINE_MS);
  idle.push(runner);
  plan();
  if (answer.kind !== 'done') throw new Error(`the run ended as ${answer.kind}`);
  for (const [row, { response }] of batch.entries()) respond(response, answer.outputs, row);
}

function respond(response: ServerResponse, outputs: readonly Tensor[], row: number): void {
  const body = JSON.stringify({
    outputs: outputs.map(({ name, datatype, shape, data }) => {
      const size = data.length / shape[0]!;
      const values = Array.from((data as Float32Array).subarray(row * size, (row + 1) * size));
      return { name, datatype, shape: [1, ...shape.slice(1)], data: values };
    }),
  });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    waiting.push({ input: JSON.parse(body).inputs[0] as JsonTensor, response });
    plan();
  });
}

const server = createServer(receive);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
