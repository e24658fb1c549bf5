import { BatchGetItemCommand, BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { toFailure } from './aws-failure.ts';
import { inParallel } from './in-parallel.ts';
import type { Key } from './keys.ts';
import type { Item, Table } from './table.ts';

/** Writes of one BatchWriteItem. */
const MOST_WRITES = 25;
/** Keys of one BatchGetItem, and such calls at once. */
const MOST_READS = 100;
const MOST_CALLS = 4;

/** Many items of a table by few calls; what DynamoDB leaves out of one goes one by one. */
export class TableBatches {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #table: Pick<Table, 'get' | 'put' | 'delete'>;

  constructor(client: DynamoDBClient, name: string, table: Pick<Table, 'get' | 'put' | 'delete'>) {
    this.#client = client;
    this.#name = name;
    this.#table = table;
  }

  /** The items that are there, in no order. */
  async getMany(keys: readonly Key[]): Promise<readonly Item[]> {
    const chunks: (readonly Key[])[] = [];
    for (let at = 0; at < keys.length; at += MOST_READS) chunks.push(keys.slice(at, at + MOST_READS));
    return (await inParallel(chunks, MOST_CALLS, (chunk) => this.#getSome(chunk))).flat();
  }

  /** Writes items, each whatever is there; on failure some may be written. No two have one key. */
  async putMany(items: readonly (Key & Item)[]): Promise<void> {
    for (let at = 0; at < items.length; at += MOST_WRITES) await this.#putSome(items.slice(at, at + MOST_WRITES));
  }

  /** Deletes items, those that are there. */
  async deleteMany(keys: readonly Key[]): Promise<void> {
    for (let at = 0; at < keys.length; at += MOST_WRITES) await this.#deleteSome(keys.slice(at, at + MOST_WRITES));
  }

  async #getSome(keys: readonly Key[]): Promise<readonly Item[]> {
    const Keys = keys.map((key) => marshall(key));
    const command = new BatchGetItemCommand({ RequestItems: { [this.#name]: { Keys, ConsistentRead: true } } });
    const { Responses: found, UnprocessedKeys: left } = await this.#client.send(command).catch(rethrow);
    const items = (found?.[this.#name] ?? []).map((item) => unmarshall(item));
    // As with deletions: what is left goes one by one, with the pauses of any throttled call.
    for (const key of left?.[this.#name]?.Keys ?? []) {
      const item = await this.#table.get(unmarshall(key) as Key);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  async #putSome(items: readonly (Key & Item)[]): Promise<void> {
    const requests = items.map((item) => ({ PutRequest: { Item: marshall(item, { removeUndefinedValues: true }) } }));
    const command = new BatchWriteItemCommand({ RequestItems: { [this.#name]: requests } });
    const { UnprocessedItems: left } = await this.#client.send(command).catch(rethrow);
    // As with deletions.
    for (const { PutRequest: request } of left?.[this.#name] ?? []) {
      if (request?.Item !== undefined) await this.#table.put(unmarshall(request.Item) as Key & Item);
    }
  }

  async #deleteSome(keys: readonly Key[]): Promise<void> {
    const requests = keys.map((key) => ({ DeleteRequest: { Key: marshall(key) } }));
    const command = new BatchWriteItemCommand({ RequestItems: { [this.#name]: requests } });
    const { UnprocessedItems: left } = await this.#client.send(command).catch(rethrow);
    // A batch that is throttled in part does not fail: what is left goes one by one, with the pauses of any throttled call.
    for (const { DeleteRequest: request } of left?.[this.#name] ?? []) {
      if (request?.Key !== undefined) await this.#table.delete(unmarshall(request.Key) as Key);
    }
  }
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
