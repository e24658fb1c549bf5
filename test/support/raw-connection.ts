import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_MS = 10_000;

/** One connection that stays open, to send bytes as they are and see what comes back when. */
export class RawConnection {
  readonly socket: Socket;
  /** All that came so far. */
  text = '';
  closed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.on('end', () => {
      this.closed = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => {});
  }

  send(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(part);
  }

  /** Status codes of all answers so far, in order. */
  get statuses(): readonly number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 ([0-9]{3})/g)].map((match) => Number(match[1]));
  }

  /** Waits until `holds`, and fails after ten seconds. */
  async until(holds: (connection: this) => boolean): Promise<void> {
    const giveUpMs = performance.now() + LONGEST_MS;
    while (!holds(this)) {
      if (performance.now() > giveUpMs) throw new Error(`still waiting; so far: ${JSON.stringify(this.text)}`);
      await sleep(5);
    }
  }

  async destroy(): Promise<void> {
    if (this.socket.destroyed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }
}
