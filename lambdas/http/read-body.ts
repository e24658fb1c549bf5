import type { APIGatewayProxyEvent } from 'aws-lambda';
import { decodeUtf8 } from '../../core/api/json.ts';
import { Failure } from '../../core/failure.ts';
import { MIB } from '../../core/units.ts';
import type { LowerHeaders } from '../middleware/exchange.ts';

/** Of a decoded body, in both hosts. Lambda takes 6 MB an invocation, and base64 makes 5.6 of these 4 MiB. */
export const MAX_BODY_BYTES = 4 * MIB;

const TO_UTF8 = new TextEncoder();

/** The body as text; '' if there is none. `body-too-large`, `content-encoding-unsupported`, `json-invalid` if it is not UTF-8. */
export function readText(event: APIGatewayProxyEvent, headers: LowerHeaders): string {
  if (event.isBase64Encoded) return decodeUtf8(readBytes(event, headers));
  expectPlain(headers);
  const text = event.body ?? '';
  // UTF-8 takes up to three bytes for one UTF-16 unit: only longer texts need to be measured.
  if (text.length * 3 > MAX_BODY_BYTES) expectWithin(Buffer.byteLength(text));
  return text;
}

/** The body as bytes; none if there is none. `body-too-large`, `content-encoding-unsupported`. */
export function readBytes(event: APIGatewayProxyEvent, headers: LowerHeaders): Uint8Array {
  expectPlain(headers);
  const bytes = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64') : TO_UTF8.encode(event.body ?? '');
  expectWithin(bytes.length);
  return bytes;
}

function expectPlain(headers: LowerHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return;
  throw new Failure('content-encoding-unsupported', { field: 'Content-Encoding' });
}

function expectWithin(bodyBytes: number): void {
  if (bodyBytes > MAX_BODY_BYTES) throw new Failure('body-too-large', { limitBytes: MAX_BODY_BYTES });
}
