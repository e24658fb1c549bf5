import { connect } from 'node:net';

export type RawAnswer = {
  /** undefined if the connection closed without a status line. */
  readonly status: number | undefined;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

export type RawOptions = {
  /** Then whatever came is the answer. */
  readonly untilMs?: number;
  /** Says with a FIN that no more comes, which a server may take as the end of all interest. */
  readonly ends?: boolean;
  /** The answer is to HEAD: its length is of a body that does not come. */
  readonly headOnly?: boolean;
};

/** Sends bytes over a socket of their own and reads one answer. For what `fetch` refuses to send. */
export function sendRaw(
  url: string,
  parts: readonly (string | Uint8Array)[],
  { untilMs = 10_000, ends = false, headOnly = false }: RawOptions = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(parseAnswer(Buffer.concat(chunks)));
    };
    const timer = setTimeout(end, untilMs);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks), headOnly)) end();
    });
    for (const event of ['error', 'end', 'close']) socket.on(event, end);
    for (const part of parts) socket.write(part);
    if (ends) socket.end();
  });
}

/** A request head as it goes over the wire; lines as given, none added but the last empty one. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function isWhole(bytes: Buffer, headOnly: boolean): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const { status = 0, headers } = parseAnswer(bytes);
  if (headOnly || status === 204 || status === 304) return true;
  const length = headers.get('content-length');
  if (length !== undefined) return bytes.length >= end + 4 + Number(length);
  return headers.get('transfer-encoding') === 'chunked' ? bytes.includes('\r\n0\r\n\r\n', end) : false;
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = (end === -1 ? text : text.slice(0, end)).split('\r\n');
  const status = /^HTTP\/1\.1 ([0-9]{3})/.exec(statusLine)?.[1];
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = headers.get('content-length');
  const last = length === undefined ? bytes.length : end + 4 + Number(length);
  const body = end === -1 ? '' : bytes.subarray(end + 4, last).toString('utf8');
  return { status: status === undefined ? undefined : Number(status), headers, body };
}
