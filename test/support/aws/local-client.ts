import type { ClientOptions } from '../../../adapters/aws/clients.ts';

/** Of an emulator, which a thousand callers at once may keep busy for seconds. */
export const TIMEOUT_MS = 20_000;

/** A service on this machine. */
export function localOptions(port: number, timeoutMs?: number): ClientOptions {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    timeoutMs,
  };
}
