import { afterAll, beforeAll } from 'vitest';
import { EcsWake } from '../../adapters/aws/ecs-wake.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Wake } from '../../core/ports/wake.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { FakeEcs } from '../support/aws/fake-ecs.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { BROKEN_WAKE } from '../support/broken-wake.ts';
import { type Adapter, withMore } from './contract.ts';
import { expectCaught } from './expect-caught.ts';
import { describeWakeContract, type WakeSubject, wakeCases } from './wake.contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const serviceOf = (pool: string) => `test-${pool}`;

const aws: Adapter<Wake, WakeSubject> = {
  async open() {
    const ecs = await FakeEcs.start();
    for (const pool of ['default', 'gpu']) ecs.set(serviceOf(pool), 0);
    const table = new Table(dynamo.client, await dynamo.createTable());
    const parts = { client: ecs.client, table, cluster: 'cluster', deployment: 'test', region: 'us', log: NO_LOG };
    const subject = clientSubject<Wake>(new SteppedClock(), () => new EcsWake(parts));
    return withMore(subject, {
      starts: (pool: string) => ecs.updatesOf(serviceOf(pool)),
      refuseStarts(refused: boolean) {
        ecs.refusals = refused ? Number.POSITIVE_INFINITY : 0;
      },
      startElsewhere: (pool: string) => ecs.set(serviceOf(pool), 2),
      stop: (pool: string) => ecs.set(serviceOf(pool), 0),
      close: () => ecs.stop(),
    });
  },
};

describeWakeContract('aws', aws);
expectCaught('wake', wakeCases, aws, BROKEN_WAKE);
