import { type JsonAnswer, type JsonService, refusal, startJsonService } from './json-service.ts';

type Version = { readonly token: string; readonly text: string };

/** As much of Secrets Manager as signing keys need, over the wire: GetSecretValue and PutSecretValue of secrets that are there. */
export class SecretsEmulator {
  readonly url: string;
  readonly #service: JsonService;
  readonly #secrets: Map<string, Version[]>;

  private constructor(service: JsonService, secrets: Map<string, Version[]>) {
    this.url = service.url;
    this.#service = service;
    this.#secrets = secrets;
  }

  static async start(): Promise<SecretsEmulator> {
    const secrets = new Map<string, Version[]>();
    const service = await startJsonService((operation, input) => {
      const versions = secrets.get(String(input.SecretId));
      if (versions === undefined) return refusal('ResourceNotFoundException');
      return operation === 'PutSecretValue' ? put(versions, input) : get(versions);
    });
    return new SecretsEmulator(service, secrets);
  }

  /** A secret without a value, as the infrastructure makes it. */
  create(secret: string): void {
    this.#secrets.set(secret, []);
  }

  read(secret: string): string | undefined {
    return this.#secrets.get(secret)?.at(-1)?.text;
  }

  stop(): Promise<void> {
    return this.#service.stop();
  }
}

function get(versions: readonly Version[]): JsonAnswer {
  const last = versions.at(-1);
  return last === undefined
    ? refusal('ResourceNotFoundException')
    : { status: 200, body: { SecretString: last.text, VersionId: last.token } };
}

/** A token names one version for good: the same text again changes nothing, another is refused. */
function put(versions: Version[], input: Readonly<Record<string, unknown>>): JsonAnswer {
  const version = { token: String(input.ClientRequestToken), text: String(input.SecretString) };
  const same = versions.find(({ token }) => token === version.token);
  if (same !== undefined && same.text !== version.text) return refusal('ResourceExistsException');
  if (same === undefined) versions.push(version);
  return { status: 200, body: { VersionId: version.token } };
}
