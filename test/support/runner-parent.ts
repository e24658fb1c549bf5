import { SystemClock } from '../../adapters/node/system-clock.ts';
import { spawnRunner } from '../../gpu-worker/runner-process.ts';

/** A worker process in miniature: starts the runner that it is told to, runs its model on 1, and says `running`. */
const clock = new SystemClock();
const runner = spawnRunner({ provider: 'cpu', intraOpThreads: 1, environment: {} }, clock);
await runner.load(1, process.argv[2]!, Number.POSITIVE_INFINITY);
const x = { name: 'x', datatype: 'FP32', shape: [1, 1], data: Float32Array.of(1) } as const;
const running = runner.run(1, [x], Number.POSITIVE_INFINITY);
console.log('running');
await running;
