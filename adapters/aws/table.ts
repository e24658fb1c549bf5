import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  type UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Failure } from '../../core/failure.ts';
import { namedError, nameOf, toFailure } from './aws-failure.ts';
import type { Index, Key } from './keys.ts';
import { TableBatches } from './table-batches.ts';
import { queryIndex, queryIndexDown } from './table-indexes.ts';

export type Item = Readonly<Record<string, unknown>>;

/** An expression with the names and values that stand in it. */
export type Expression = {
  readonly text: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Item;
};

/** An update with its condition, and what is to come back of the item: all of it unless told otherwise. */
export type Change = Expression & {
  readonly condition?: string;
  readonly returned?: 'ALL_NEW' | 'UPDATED_NEW' | 'UPDATED_OLD' | 'NONE';
  /** Fails where it may have been done and nobody heard of it: for what must not be done twice, such as counting. */
  readonly once?: boolean;
};
/** One write of a transaction, or an item that is but looked at. */
export type Write =
  | (({ readonly put: Key & Item } | { readonly delete: Key }) & { readonly condition?: Expression })
  | { readonly check: Key; readonly condition: Expression };
export type Changed =
  | { readonly written: true; readonly item: Item }
  | { readonly written: false; readonly item: Item | undefined };

export type QueryOptions = {
  readonly limit?: number;
  /** Only sort keys after this one. */
  readonly after?: string | undefined;
  /** With `after`: and before this one, which no item has. */
  readonly before?: string;
  readonly newestFirst?: boolean;
};

/** As many as one call takes. */
const DELETED_AT_ONCE = 25;
const MARSHALL = { removeUndefinedValues: true };

/** One DynamoDB table: reads are strong, failures are those of the core. */
export class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #batches: TableBatches;

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client;
    this.#name = name;
    this.#batches = new TableBatches(client, name, this);
  }

  async get(key: Key): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.#name, Key: marshall(key), ConsistentRead: true });
    const { Item: found } = await this.#client.send(command).catch(rethrow);
    return found === undefined ? undefined : unmarshall(found);
  }

  /** Writes an item; with a condition that does not hold nothing is written, and the item that is there comes back. */
  async put(item: Key & Item, condition?: Expression): Promise<{ readonly written: boolean; readonly found?: Item }> {
    const command = new PutItemCommand({
      TableName: this.#name,
      Item: marshall(item, MARSHALL),
      ...(condition && { ConditionExpression: condition.text, ...namesAndValues(condition) }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#client.send(command);
      return { written: true };
    } catch (error) {
      return { written: false, ...refused(error) };
    }
  }

  /** Writes and deletes all of it if all conditions hold; `refused` if one does not, `conflict` if another write came between. */
  async transact(...writes: readonly Write[]): Promise<'written' | 'refused' | 'conflict'> {
    const items = writes.map((write) => {
      const table = { TableName: this.#name };
      const condition = write.condition && {
        ConditionExpression: write.condition.text,
        ...namesAndValues(write.condition),
      };
      if ('put' in write) return { Put: { ...table, Item: marshall(write.put, MARSHALL), ...condition } };
      if ('delete' in write) return { Delete: { ...table, Key: marshall(write.delete), ...condition } };
      const checked = { ConditionExpression: write.condition.text, ...namesAndValues(write.condition) };
      return { ConditionCheck: { ...table, Key: marshall(write.check), ...checked } };
    });
    try {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return 'written';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw toFailure(error);
      const reasons = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
      if (reasons.includes('ConditionalCheckFailed')) return 'refused';
      if (reasons.includes('TransactionConflict')) return 'conflict';
      const reason = reasons.find((code) => code !== 'None') ?? 'ThrottlingError';
      const { code, facts } = toFailure(namedError(reason));
      throw new Failure(code, facts, { cause: error });
    }
  }

  /** Changes an item, making it if there is none; where the condition does not hold nothing changes, and `item` is what is there. */
  async change(key: Key, change: Change): Promise<Changed> {
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: marshall(key),
      UpdateExpression: change.text,
      ...(change.condition && { ConditionExpression: change.condition }),
      ...namesAndValues(change),
      ReturnValues: change.returned ?? 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    if (change.once === true) tryOnce(command);
    try {
      const { Attributes: attributes } = await this.#client.send(command);
      return { written: true, item: unmarshall(attributes ?? {}) };
    } catch (error) {
      return { written: false, item: refused(error).found };
    }
  }

  /** Deletes an item and returns it: of concurrent callers one gets it. */
  async take(key: Key): Promise<Item | undefined> {
    const command = new DeleteItemCommand({ TableName: this.#name, Key: marshall(key), ReturnValues: 'ALL_OLD' });
    const { Attributes: attributes } = await this.#client.send(command).catch(rethrow);
    return attributes === undefined ? undefined : unmarshall(attributes);
  }

  async delete(key: Key): Promise<void> {
    await this.#client.send(new DeleteItemCommand({ TableName: this.#name, Key: marshall(key) })).catch(rethrow);
  }

  /** All items of a partition, in order of their sort key, page by page. */
  async *query(pk: string, { limit, newestFirst = false, ...range }: QueryOptions = {}): AsyncGenerator<Item> {
    let start: Record<string, unknown> | undefined;
    let left = limit ?? Number.POSITIVE_INFINITY;
    do {
      const command = new QueryCommand({
        TableName: this.#name,
        ...keysIn(pk, range),
        ConsistentRead: true,
        ScanIndexForward: !newestFirst,
        ...(Number.isFinite(left) && { Limit: left }),
        ...(start && { ExclusiveStartKey: marshall(start) }),
      });
      const page = await this.#client.send(command).catch(rethrow);
      for (const item of page.Items ?? []) {
        yield unmarshall(item);
        left -= 1;
      }
      start = page.LastEvaluatedKey && unmarshall(page.LastEvaluatedKey);
    } while (start !== undefined && left > 0);
  }

  /** Up to `limit` of an index partition whose number is at most `upTo`, the lowest first; what was written a moment ago may be missing. */
  queryIndex(index: Index, partition: string, upTo: number, limit: number): Promise<readonly Item[]> {
    return queryIndex(this.#client, this.#name, { index, partition, upTo, limit });
  }

  /**
   * All of an index partition after the first `skipped`, the highest number first, page by page; what is skipped is counted
   * and not read. What was written a moment ago may be missing.
   */
  queryIndexDown(index: Index, partition: string, skipped = 0): AsyncGenerator<Item> {
    return queryIndexDown(this.#client, this.#name, { index, partition, skipped });
  }

  /** The items that are there, in no order. */
  getMany(keys: readonly Key[]): Promise<readonly Item[]> {
    return this.#batches.getMany(keys);
  }

  /** Writes items, each whatever is there; on failure some may be written. No two have one key. */
  putMany(items: readonly (Key & Item)[]): Promise<void> {
    return this.#batches.putMany(items);
  }

  /** Deletes items, those that are there. */
  deleteMany(keys: readonly Key[]): Promise<void> {
    return this.#batches.deleteMany(keys);
  }

  /** Deletes a whole partition. */
  async deleteAll(pk: string): Promise<void> {
    let keys: Key[] = [];
    for await (const { sk } of this.query(pk)) {
      keys.push({ pk, sk: sk as string });
      if (keys.length < DELETED_AT_ONCE) continue;
      await this.deleteMany(keys);
      keys = [];
    }
    if (keys.length > 0) await this.deleteMany(keys);
  }
}

function keysIn(pk: string, { after, before }: Pick<QueryOptions, 'after' | 'before'>) {
  const range = before === undefined ? 'sk > :after' : 'sk BETWEEN :after AND :before';
  return {
    KeyConditionExpression: after === undefined ? 'pk = :pk' : `pk = :pk AND ${range}`,
    ExpressionAttributeValues: marshall(
      after === undefined ? { ':pk': pk } : { ':pk': pk, ':after': after, ':before': before },
      MARSHALL,
    ),
  };
}

function namesAndValues({ names, values }: Expression) {
  return {
    ...(names && { ExpressionAttributeNames: { ...names } }),
    ...(values && { ExpressionAttributeValues: marshall(values, MARSHALL) }),
  };
}

/** The item that kept a condition from holding; anything else is thrown. */
function refused(error: unknown): { readonly found?: Item } {
  if (nameOf(error) !== 'ConditionalCheckFailedException') throw toFailure(error);
  const { Item: found } = error as { readonly Item?: Parameters<typeof unmarshall>[0] };
  return found === undefined ? {} : { found: unmarshall(found) };
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}

/** Of the step that is done for each try. */
type Next = (args: {
  readonly input: UpdateItemCommandInput;
  readonly request: unknown;
}) => Promise<{ response: unknown; output: UpdateItemCommandOutput }>;

/** A try that was refused (4xx) was not done, so that it may be repeated; after any other failure every further one fails alike. */
function tryOnce(command: UpdateItemCommand): void {
  let failed: unknown;
  command.middlewareStack.addRelativeTo(
    (next: Next) => async (args: Parameters<Next>[0]) => {
      if (failed !== undefined) throw failed;
      try {
        return await next(args);
      } catch (error) {
        const { httpStatusCode = 0 } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
        if (httpStatusCode < 400 || httpStatusCode >= 500) failed = error;
        throw error;
      }
    },
    { relation: 'after', toMiddleware: 'retryMiddleware', name: 'tryOnce' },
  );
}
