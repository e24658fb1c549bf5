import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  ListTablesCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoClient } from '../../../adapters/aws/clients.ts';
import type { Index } from '../../../adapters/aws/keys.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { localOptions, TIMEOUT_MS } from './local-client.ts';

const READY_MS = 10_000;

/** A DynamoDB of its own in memory, over the wire. */
export class DynamoEmulator {
  readonly client: DynamoDBClient;
  readonly #process: ChildProcess;
  #tables = 0;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.client = dynamoClient(localOptions(port, TIMEOUT_MS));
  }

  static async start(): Promise<DynamoEmulator> {
    const port = await freePort();
    const folder = dirname(createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json'));
    const child = spawn(join(folder, 'dynoxide'), ['serve', '--port', String(port)], { stdio: 'ignore' });
    const emulator = new DynamoEmulator(child, port);
    const untilMs = performance.now() + READY_MS;
    for (;;) {
      try {
        await emulator.client.send(new ListTablesCommand({}));
        return emulator;
      } catch (error) {
        if (performance.now() > untilMs) throw error;
        await delay(20);
      }
    }
  }

  /** A new table with keys pk and sk, and these indexes. */
  async createTable(indexes: readonly Index[] = []): Promise<string> {
    this.#tables += 1;
    const name = `table-${this.#tables}`;
    const partitions = new Set(['pk', 'sk', ...indexes.map(({ partition }) => partition)]);
    const orders = new Set(indexes.map(({ order }) => order));
    await this.client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          ...[...partitions].map((attribute) => ({ AttributeName: attribute, AttributeType: 'S' as const })),
          ...[...orders].map((attribute) => ({ AttributeName: attribute, AttributeType: 'N' as const })),
        ],
        ...(indexes.length > 0 && {
          GlobalSecondaryIndexes: indexes.map(({ name, partition, order, included }) => ({
            IndexName: name,
            KeySchema: [
              { AttributeName: partition, KeyType: 'HASH' as const },
              { AttributeName: order, KeyType: 'RANGE' as const },
            ],
            Projection:
              included.length === 0
                ? { ProjectionType: 'KEYS_ONLY' as const }
                : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...included] },
          })),
        }),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
    return name;
  }

  /** Deletes what a table's TTL would have deleted by then, which this DynamoDB never does. Returns how many of a kind of partition. */
  async expire(table: string, nowMs: number, kind = ''): Promise<number> {
    const { Items: items = [] } = await this.client.send(new ScanCommand({ TableName: table }));
    const expired = items.filter(({ ttl }) => ttl?.N !== undefined && Number(ttl.N) * SECOND_MS <= nowMs);
    for (const { pk, sk } of expired) {
      await this.client.send(new DeleteItemCommand({ TableName: table, Key: { pk: pk!, sk: sk! } }));
    }
    return expired.filter(({ pk }) => pk?.S?.startsWith(kind)).length;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
