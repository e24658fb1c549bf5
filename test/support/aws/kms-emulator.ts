import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { KMSClient } from '@aws-sdk/client-kms';
import { kmsClient } from '../../../adapters/aws/clients.ts';
import { localOptions, TIMEOUT_MS } from './local-client.ts';

type Request = { readonly CiphertextBlob?: string; readonly EncryptionContext?: Record<string, string> };

/** As much of KMS as data keys need, over the wire: one key, GenerateDataKey and Decrypt with their encryption context. */
export class KmsEmulator {
  readonly client: KMSClient;
  readonly calls: string[] = [];
  readonly #server: Server;
  readonly #secret = randomBytes(32);

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      const { status, body } = await this.#answer(request);
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    this.client = kmsClient(localOptions((server.address() as AddressInfo).port, TIMEOUT_MS));
  }

  static async start(): Promise<KmsEmulator> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KmsEmulator(server);
  }

  async stop(): Promise<void> {
    this.client.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const operation = String(request.headers['x-amz-target']).split('.')[1]!;
    const asked = JSON.parse(await text(request)) as Request;
    this.calls.push(operation);
    const context = Buffer.from(JSON.stringify(Object.entries(asked.EncryptionContext ?? {}).sort()));
    if (operation === 'GenerateDataKey') {
      const plain = randomBytes(32);
      return { status: 200, body: { Plaintext: plain.toString('base64'), CiphertextBlob: this.#wrap(plain, context) } };
    }
    try {
      const plain = this.#unwrap(Buffer.from(asked.CiphertextBlob ?? '', 'base64'), context);
      return { status: 200, body: { Plaintext: plain.toString('base64') } };
    } catch {
      return { status: 400, body: { __type: 'InvalidCiphertextException' } };
    }
  }

  #wrap(plain: Buffer, context: Buffer): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#secret, nonce).setAAD(context);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64');
  }

  #unwrap(wrapped: Buffer, context: Buffer): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#secret, wrapped.subarray(0, 12)).setAAD(context);
    decipher.setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  }
}
