import { StateMachine } from 'aws-local-stepfunctions';
import { RELEASE_CLOCK_INPUT } from '../../../adapters/aws/environment.ts';
import { WINDOW_MS } from '../../../core/quality/recorder.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { releaseMachine } from '../../../lib/release-machine.ts';
import type { ReleaseWorld } from '../release-world.ts';
import type { ReleaseRegion } from './release-region.ts';

const MACHINE_ARN = 'arn:aws:states:us-east-1:111111111111:stateMachine:release-clock';
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:111111111111:function:release-step';
const REST_S = 30;
/** A test that never ends is a failure. */
const MOST_EXECUTIONS = 20;

/** Events of AWS's history: of a state of each type, and of a retry (failed, scheduled, started). */
const EVENTS: Readonly<Record<string, number>> = { Task: 5, Choice: 2, Wait: 2, Pass: 2, Succeed: 2, Fail: 2 };
const EVENTS_OF_RETRY = 3;

export type Execution = {
  readonly name: string;
  readonly status: 'succeeded' | 'failed';
  readonly error?: string | undefined;
  /** Names of the states in order. */
  readonly states: readonly string[];
  /** How many the history would have in AWS. */
  readonly events: number;
};

export type Notified = { readonly what: string; readonly by: string; readonly state: string; readonly release: string };

type Running = ReturnType<StateMachine['run']>;
type Look = { readonly waitSeconds: number; readonly next: string; readonly looks: number };
type Start = { readonly StateMachineArn: string; readonly Name: string; readonly Input: object };

/**
 * Step Functions on this machine: the definition that is deployed, interpreted, with the bundled function, and time that passes only in waits. In it
 * `users` ask once in each window. Service integrations are kept here: EventBridge takes notices, and a start is another execution, run
 * after this one, unless its name is taken.
 */
export class ReleaseExecutions {
  readonly executions: Execution[] = [];
  readonly notices: Notified[] = [];
  readonly waits: number[] = [];
  users = 100;
  /** So many invocations of the function fail from now on. */
  failLooks = 0;
  /** … and so many calls of EventBridge. */
  failTells = 0;
  /** Called after each wait, before the next look. */
  onWake: () => Promise<void> | void = () => {};
  readonly #world: ReleaseWorld<ReleaseRegion>;
  readonly #names = new Set<string>();
  readonly #due: { name: string; input: object }[] = [];
  /** Since the last look. */
  #waitS = 0;

  constructor(world: ReleaseWorld<ReleaseRegion>) {
    this.#world = world;
  }

  /** As the pipe starts it, of a change in the table's stream; then all that follow. */
  async run(activation = 'activation', model = 'm'): Promise<Execution> {
    return this.runAll([[{ ...RELEASE_CLOCK_INPUT, model, activation }]]);
  }

  /** The last one. */
  async runAll(inputs: readonly object[][]): Promise<Execution> {
    for (const [at, input] of inputs.entries())
      this.#due.push({ name: `by-pipe-${this.executions.length}-${at}`, input });
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      if (this.executions.length > MOST_EXECUTIONS) throw new Error('there is always another execution');
      await this.#execute(next.name, next.input);
    }
    return this.executions.at(-1)!;
  }

  async #execute(name: string, input: object): Promise<void> {
    this.#names.add(name);
    const machine = new StateMachine(releaseMachine({ functionArn: FUNCTION_ARN }) as never);
    const { result, eventLogs } = machine.run(input as never, {
      overrides: {
        taskResourceLocalHandlers: {
          Look: async (parameters) => (await this.#look(parameters as { Payload: object })) as never,
          Tell: (parameters) =>
            this.#tell(parameters as unknown as { Entries: readonly { Detail: string }[] }) as never,
          Continue: (parameters) => this.#start(parameters as unknown as Start) as never,
          'Hand over': (parameters) => this.#handOver(parameters as unknown as Start) as never,
        },
        waitTimeOverrides: { Hold: 0, Rest: 0 },
        retryIntervalOverrides: { Look: 0, Tell: 0, Continue: 0, 'Hand over': 0 },
      },
      context: { Execution: { Id: `${MACHINE_ARN}:${name}`, Name: name }, StateMachine: { Id: MACHINE_ARN } } as never,
    });
    const ended = result.then(
      () => ({ status: 'succeeded' as const }),
      (error: Error) => ({ status: 'failed' as const, error: error.message }),
    );
    const counted = await count(eventLogs);
    this.executions.push({ name, ...(await ended), ...counted });
  }

  async #look({ Payload }: { readonly Payload: object }): Promise<{ Payload: unknown }> {
    if (this.#waitS > 0) {
      await this.pass(this.#waitS * SECOND_MS);
      this.#waitS = 0;
      await this.onWake();
    }
    if (this.failLooks > 0) {
      this.failLooks -= 1;
      throw Object.assign(new Error('throttled'), { name: 'Lambda.TooManyRequestsException' });
    }
    await this.#world.report();
    const look = (await this.#world.local.look(Payload)) as Look;
    if (look.next === 'wait') {
      this.#waitS = look.waitSeconds;
      this.waits.push(look.waitSeconds);
    }
    return { Payload: look };
  }

  #tell({ Entries }: { readonly Entries: readonly { readonly Detail: string }[] }): object {
    if (this.failTells > 0) {
      this.failTells -= 1;
      throw Object.assign(new Error('refused'), { name: 'EventBridge.FailedEntry' });
    }
    if (Entries.length > 10) throw new Error('PutEvents takes ten');
    this.notices.push(...Entries.map(({ Detail }) => JSON.parse(Detail) as Notified));
    return { FailedEntryCount: 0 };
  }

  #start({ StateMachineArn, Name, Input }: Start): object {
    if (StateMachineArn !== MACHINE_ARN || Name.length > 80) throw new Error(`no such execution: ${Name}`);
    if (this.#names.has(Name)) {
      throw Object.assign(new Error(Name), { name: 'StepFunctions.ExecutionAlreadyExistsException' });
    }
    this.#names.add(Name);
    this.#due.push({ name: Name, input: Input });
    return {};
  }

  #handOver(start: Start): object {
    this.#waitS = REST_S;
    return this.#start(start);
  }

  /** What is asked for in a window is counted once the window is over. */
  async pass(ms: number): Promise<void> {
    const { clock, ports } = this.#world.local;
    const untilMs = clock.nowMs() + ms;
    for (;;) {
      const startMs = Math.floor(clock.nowMs() / WINDOW_MS) * WINDOW_MS;
      if (startMs + WINDOW_MS > untilMs) break;
      const release = await ports.releases.readLatest('m');
      await clock.advance(startMs + WINDOW_MS - clock.nowMs());
      if (release !== undefined && this.users > 0) await this.#world.traffic(release, startMs, this.users);
    }
    await clock.advance(untilMs - clock.nowMs());
  }
}

async function count(logs: Running['eventLogs']): Promise<{ states: readonly string[]; events: number }> {
  const states: string[] = [];
  // Started and ended.
  let events = 2;
  for await (const log of logs) {
    if (log.type === 'StateEntered') {
      states.push(log.state.name);
      events += EVENTS[log.state.type]!;
    }
    if (log.type === 'StateRetried') events += EVENTS_OF_RETRY;
  }
  return { states, events };
}
