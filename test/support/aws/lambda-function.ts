import { randomUUID } from 'node:crypto';
import { type LambdaAnswer, LambdaSandbox } from './lambda-sandbox.ts';

export type LambdaSpec = {
  readonly name: string;
  /** Where `index.mjs` is, which exports `handler`. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Processes at the most; more invocations wait. */
  readonly concurrency: number;
};

/** Of Lambda, for a request: 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const MOST_EVENT_BYTES = 6 * 1024 * 1024;
/** Of a buffered answer: 6 MB. */
const MOST_ANSWER_BYTES = 6 * 1024 * 1024;

/** A function as deployed, in processes of its own that are made when they are needed and used again. */
export class LambdaFunction {
  readonly spec: LambdaSpec;
  readonly logLines: string[];
  /** What loading took, of each process. */
  readonly initMs: number[] = [];
  readonly #idle: LambdaSandbox[] = [];
  readonly #all = new Set<LambdaSandbox>();
  readonly #waiting: (() => void)[] = [];
  #taken = 0;
  #stopped = false;

  /** Lines go to `logLines`, which several functions may share. */
  constructor(spec: LambdaSpec, logLines: string[] = []) {
    this.spec = spec;
    this.logLines = logLines;
  }

  get busy(): number {
    return this.#taken;
  }

  /** Pids of the processes that there are. */
  get pids(): readonly number[] {
    return [...this.#all].filter(({ hasEnded }) => !hasEnded).map(({ pid }) => pid);
  }

  /** Processes that are ready, made ahead. */
  async warm(count = 1): Promise<void> {
    const made = await Promise.all(Array.from({ length: count }, () => this.#open()));
    this.#idle.push(...made);
  }

  /** Waits for a free process. */
  async invoke(event: unknown, id: string = randomUUID()): Promise<LambdaAnswer> {
    const bytes = Buffer.from(JSON.stringify(event));
    if (bytes.length > MOST_EVENT_BYTES) return { kind: 'failed', error: 'RequestEntityTooLargeException' };
    await this.#take();
    let sandbox: LambdaSandbox;
    try {
      sandbox = this.#takeIdle() ?? (await this.#open());
    } catch (error) {
      this.#give(undefined);
      return { kind: 'failed', error: error instanceof Error ? error.message : String(error) };
    }
    const answer = await sandbox.invoke(id, bytes, this.spec.timeoutMs, () => this.#give(sandbox));
    if (answer.kind === 'answered' && answer.bytes.length > MOST_ANSWER_BYTES) {
      return { kind: 'failed', error: 'Function.ResponseSizeTooLarge' };
    }
    return answer;
  }

  /** The result of a function that answers JSON to who invokes it; throws what it failed with. */
  async run<T = unknown>(event: unknown = {}): Promise<T> {
    const answer = await this.invoke(event);
    if (answer.kind === 'answered') return JSON.parse(answer.bytes.toString()) as T;
    throw new Error(`${this.spec.name} failed: ${answer.kind === 'failed' ? answer.error : 'it streamed'}`);
  }

  /** Ends processes in the middle of what they do. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#all].map((sandbox) => sandbox.kill()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.killAll();
  }

  async #open(): Promise<LambdaSandbox> {
    const sandbox = await LambdaSandbox.start(this.spec, (line) => this.logLines.push(line));
    this.#all.add(sandbox);
    if (this.#stopped) await sandbox.kill();
    await sandbox.ready;
    this.initMs.push(sandbox.initMs!);
    return sandbox;
  }

  #takeIdle(): LambdaSandbox | undefined {
    for (let sandbox = this.#idle.pop(); sandbox !== undefined; sandbox = this.#idle.pop()) {
      if (!sandbox.hasEnded) return sandbox;
    }
    return undefined;
  }

  async #take(): Promise<void> {
    if (this.#taken >= this.spec.concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken += 1;
  }

  /** A place goes to who has waited longest. */
  #give(sandbox: LambdaSandbox | undefined): void {
    if (sandbox?.hasEnded) this.#all.delete(sandbox);
    else if (sandbox !== undefined) this.#idle.push(sandbox);
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
