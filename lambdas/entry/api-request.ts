import type { APIGatewayProxyEvent } from 'aws-lambda';

const PROXY = 'proxy';

/**
 * The path that was asked for, below the stage and a domain's base path, which `event.path` may have before it: put together
 * from the resource and its parameters. API Gateway hands some parameters over decoded; decoding them again changes none that
 * can name anything.
 */
export function pathOf({
  resource,
  pathParameters,
}: Pick<APIGatewayProxyEvent, 'resource' | 'pathParameters'>): string {
  return resource.replace(/\{(\w+)(\+?)\}/g, (_, name: string) => {
    const value = pathParameters?.[name] ?? '';
    return name === PROXY ? value : encodeURIComponent(decoded(value));
  });
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
