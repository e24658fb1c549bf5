import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { HttpAnswer } from '../middleware/http-handler.ts';
import type { LambdaHost } from './host.ts';
import type { Serve } from './serve.ts';

type Handler = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

/** A function whose answers leave whole. */
export function buffered(host: Pick<LambdaHost, 'refresh' | 'settled'>, serve: Serve): Handler {
  return async (event) => {
    const refreshed = host.refresh();
    const answer = await serve(event);
    const result = await toResult(answer);
    await refreshed;
    await host.settled();
    return result;
  };
}

async function toResult({ status, headers, body }: HttpAnswer): Promise<APIGatewayProxyResult> {
  if (typeof body === 'string') return { statusCode: status, headers, body, isBase64Encoded: false };
  const bytes = body instanceof Uint8Array ? body : Buffer.concat(await Array.fromAsync(body));
  return { statusCode: status, headers, body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true };
}
