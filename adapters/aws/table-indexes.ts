import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { toFailure } from './aws-failure.ts';
import type { Index } from './keys.ts';
import type { Item } from './table.ts';

type Partition = { readonly index: Index; readonly partition: string };

/** As `Table.queryIndex`. */
export async function queryIndex(
  client: DynamoDBClient,
  table: string,
  { index, partition, upTo, limit }: Partition & { readonly upTo: number; readonly limit: number },
): Promise<readonly Item[]> {
  const command = new QueryCommand({
    TableName: table,
    IndexName: index.name,
    KeyConditionExpression: '#partition = :partition AND #order <= :upTo',
    ExpressionAttributeNames: { '#partition': index.partition, '#order': index.order },
    ExpressionAttributeValues: marshall({ ':partition': partition, ':upTo': upTo }),
    Limit: limit,
  });
  const { Items: items } = await client.send(command).catch(rethrow);
  return (items ?? []).map((item) => unmarshall(item));
}

/** As `Table.queryIndexDown`. */
export async function* queryIndexDown(
  client: DynamoDBClient,
  table: string,
  { index, partition, skipped }: Partition & { readonly skipped: number },
): AsyncGenerator<Item> {
  let start: Record<string, AttributeValue> | undefined;
  let left = skipped;
  do {
    const command = new QueryCommand({
      TableName: table,
      IndexName: index.name,
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': index.partition },
      ExpressionAttributeValues: marshall({ ':partition': partition }),
      ScanIndexForward: false,
      ...(left > 0 && { Select: 'COUNT' as const, Limit: left }),
      ...(start && { ExclusiveStartKey: start }),
    });
    const page = await client.send(command).catch(rethrow);
    if (left > 0) left -= page.Count ?? 0;
    for (const item of page.Items ?? []) yield unmarshall(item);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

function rethrow(error: unknown): never {
  throw toFailure(error);
}
