import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { nameOf, toFailure } from './aws-failure.ts';

/** The same of every caller: of several that put in a first value at once, Secrets Manager takes one. */
const FIRST = createHash('sha256').update('first value').digest('hex');

/** Texts in Secrets Manager; failures are those of the core, and never quote a text. */
export class Secrets {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  /** undefined: the secret has no value yet. Given up when the signal is set, if that is given. */
  async read(secret: string, signal?: AbortSignal): Promise<string | undefined> {
    try {
      const options = signal === undefined ? {} : { abortSignal: signal };
      const { SecretString: text } = await this.#client.send(new GetSecretValueCommand({ SecretId: secret }), options);
      // AWS keeps no empty text. An emulator may, of a secret that was made without a value.
      return text === '' ? undefined : text;
    } catch (error) {
      if (nameOf(error) === 'ResourceNotFoundException') return undefined;
      throw toFailure(error);
    }
  }

  /** The value of a secret; one without gets what `make` makes. All callers get the same, also those that come together. */
  async readOrPut(secret: string, make: () => string | Promise<string>): Promise<string> {
    const found = await this.read(secret);
    if (found !== undefined) return found;
    const text = await make();
    const put = new PutSecretValueCommand({ SecretId: secret, SecretString: text, ClientRequestToken: FIRST });
    try {
      await this.#client.send(put);
      return text;
    } catch (error) {
      // Somebody else's text has this token.
      const first = nameOf(error) === 'ResourceExistsException' ? await this.read(secret) : undefined;
      if (first === undefined) throw toFailure(error);
      return first;
    }
  }
}
