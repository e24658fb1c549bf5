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

/**
 * What comes before that path where the caller asked: `/stage` at the address that API Gateway gives, a base path at a domain
 * that has one, else ''. Addresses below our own need it.
 */
export function basePathOf({
  resource,
  requestContext,
}: Pick<APIGatewayProxyEvent, 'resource' | 'requestContext'>): string {
  const asked = segmentsOf(requestContext.path);
  return asked
    .slice(0, Math.max(0, asked.length - segmentsOf(resource).length))
    .map((segment) => `/${segment}`)
    .join('');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
