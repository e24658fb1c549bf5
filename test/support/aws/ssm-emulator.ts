import { type JsonService, refusal, startJsonService } from './json-service.ts';

/** As much of SSM's Parameter Store as settings need, over the wire: GetParameter. */
export class SsmEmulator {
  readonly url: string;
  /** What each parameter holds, by its name. */
  readonly parameters: Map<string, string>;
  readonly #service: JsonService;

  private constructor(service: JsonService, parameters: Map<string, string>) {
    this.url = service.url;
    this.parameters = parameters;
    this.#service = service;
  }

  static async start(): Promise<SsmEmulator> {
    const parameters = new Map<string, string>();
    const service = await startJsonService((operation, { Name }) => {
      const value = operation === 'GetParameter' ? parameters.get(String(Name)) : undefined;
      if (value === undefined) return refusal('ParameterNotFound');
      return { status: 200, body: { Parameter: { Name, Type: 'String', Value: value, Version: 1 } } };
    });
    return new SsmEmulator(service, parameters);
  }

  stop(): Promise<void> {
    return this.#service.stop();
  }
}
