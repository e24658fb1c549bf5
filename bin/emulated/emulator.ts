import { access, constants, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { SECOND_MS } from '../../core/units.ts';
import { Child } from './child.ts';

const STREAMS = join(import.meta.dirname, 'response-streams.ts');
const HEALTH = '/_ministack/health';
const STARTS_WITHIN_MS = 60 * SECOND_MS;
const LOOK_EVERY_MS = 200;

/** The first executable of that name on a PATH. */
export async function findOnPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((each) => each !== '')) {
    const file = join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

/**
 * `ministack` in a process of its own, empty, on this machine alone. Functions that it runs have this process's Node, and no more
 * rights than their roles.
 */
export class Emulator {
  readonly endpoint: string;
  readonly #child: Child;

  private constructor(endpoint: string, child: Child) {
    this.endpoint = endpoint;
    this.#child = child;
  }

  /** Throws if it does not answer within a minute. Whatever it writes lies in `folder`. */
  static async start(file: string, folder: string, signal: AbortSignal): Promise<Emulator> {
    const port = await freePort();
    await mkdir(folder, { recursive: true });
    const child = new Child({
      file,
      folder,
      signal,
      variables: {
        PATH: [dirname(process.execPath), dirname(file), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
        HOME: folder,
        TMPDIR: folder,
        GATEWAY_PORT: String(port),
        BIND_HOST: '127.0.0.1',
        AUTH: 'true',
        LOG_LEVEL: 'DEBUG',
        NODE_OPTIONS: `--import ${pathToFileURL(STREAMS).href}`,
      },
    });
    const emulator = new Emulator(`http://127.0.0.1:${port}`, child);
    try {
      await emulator.#answers();
    } catch (error) {
      await emulator.stop();
      throw error;
    }
    return emulator;
  }

  async version(): Promise<string> {
    const health = await fetch(`${this.endpoint}${HEALTH}`);
    return ((await health.json()) as { readonly version: string }).version;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  /** Of these types of resources, those that its CloudFormation does not know. */
  async unknownTypes(types: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const Resources = Object.fromEntries([...types].map((Type, at) => [`R${at}`, { Type }]));
    const answer = await fetch(this.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request',
      },
      body: new URLSearchParams({
        Action: 'ValidateTemplate',
        Version: '2010-05-15',
        TemplateBody: JSON.stringify({ Resources }),
      }),
    });
    const text = await answer.text();
    if (answer.ok) return new Set();
    const [, listed] = /Unrecognized resource types: \[([^\]]*)\]/.exec(text) ?? [];
    if (listed === undefined) throw new Error(`the emulator does not say which types it knows: ${text.slice(0, 300)}`);
    return new Set(listed.split(',').map((type) => type.trim()));
  }

  async #answers(): Promise<void> {
    const untilMs = performance.now() + STARTS_WITHIN_MS;
    while (performance.now() < untilMs && !this.#child.hasEnded) {
      const health = await fetch(`${this.endpoint}${HEALTH}`).catch(() => undefined);
      await health?.body?.cancel();
      if (health?.ok) return;
      await delay(LOOK_EVERY_MS);
    }
    throw new Error(`ministack does not start:\n${this.#child.lines.join('\n')}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
