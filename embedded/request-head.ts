import type { IncomingMessage } from 'node:http';
import { Failure } from '../core/failure.ts';

/** What the host itself needs of the headers. */
export type Framing = {
  readonly hasBody: boolean;
  /** undefined if the body is chunked, or if there is none. */
  readonly declaredBytes: number | undefined;
  readonly contentType: string | undefined;
  readonly refusal: Failure | undefined;
};

/** Reads the framing headers in one pass. node:http has refused those that contradict each other. */
export function readFraming(request: IncomingMessage): Framing {
  const raw = request.rawHeaders;
  let declared: string | undefined;
  let contentType: string | undefined;
  let chunked = false;
  let host = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    // By length first: most names are none of these.
    if (name.length === 4) host ||= name.toLowerCase() === 'host';
    else if (name.length === 12 && name.toLowerCase() === 'content-type') contentType = raw[i + 1];
    else if (name.length === 14 && name.toLowerCase() === 'content-length') declared = raw[i + 1];
    else if (name.length === 17) chunked ||= name.toLowerCase() === 'transfer-encoding';
  }
  const declaredBytes = declared === undefined ? undefined : Number(declared);
  return {
    hasBody: chunked || (declaredBytes !== undefined && declaredBytes > 0),
    declaredBytes,
    contentType,
    refusal: host || request.httpVersionMinor !== 1 ? undefined : new Failure('header-invalid', { field: 'Host' }),
  };
}

/** Path and query of a request target, which may be an absolute URL (RFC 9112 section 3.2.2). */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const local = target.charCodeAt(0) === 0x2f ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const mark = local.indexOf('?');
  return mark === -1 ? { path: local, query: '' } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}
