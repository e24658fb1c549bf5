import { spawn } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import { parseGpus, UsageMeter } from '../../gpu-worker/usage.ts';

const clock = new SystemClock();
const lines: string[] = [];
const ports = { clock, log: new JsonLog({ write: (line) => lines.push(line) }, clock) };
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
  lines.length = 0;
});

/** A shell with a child that never rests, as a guard has a runner. */
function busyProcess(): { readonly pid: number | undefined; readonly residentBytes: number } {
  const child = spawn('/bin/sh', ['-c', 'while :; do :; done & wait'], { detached: true, stdio: 'ignore' });
  ended.push(() => process.kill(-child.pid!, 'SIGKILL'));
  return { pid: child.pid, residentBytes: 1000 };
}

test.runIf(process.platform === 'linux')('runners that compute are seen to, and their memory is added up', async () => {
  const processes = [busyProcess(), { pid: undefined, residentBytes: 234 }];
  const meter = new UsageMeter(ports, { processes: () => processes }, 'cpu');
  expect(meter.latest).toBeUndefined();
  await meter.look();
  await vi.waitFor(async () => {
    await meter.look();
    expect(meter.latest?.cpuShare).toBeGreaterThan(0);
  });
  expect(meter.latest).toMatchObject({ memoryBytes: 1234, gpu: undefined });
});

test('a runner that has gone takes nothing', async () => {
  const meter = new UsageMeter(ports, { processes: () => [{ pid: 2 ** 30, residentBytes: 1 }] }, 'cpu');
  await meter.look();
  await meter.look();
  expect(meter.latest).toEqual({ memoryBytes: 1, cpuShare: undefined, gpu: undefined });
});

test('a GPU is asked where there is one; a driver that does not answer is logged once', async () => {
  let answer: () => string = () => '25, 100, 1000\n';
  const asked: string[] = [];
  const meter = new UsageMeter(ports, { processes: () => [] }, 'cuda', async (file, args) => {
    asked.push(`${file} ${args.join(' ')}`);
    return answer();
  });
  await meter.look();
  expect(meter.latest?.gpu).toEqual({ busyShare: 0.25, memoryBytes: 100 * 1024 ** 2, totalBytes: 1000 * 1024 ** 2 });
  expect(asked).toEqual([
    'nvidia-smi --query-gpu=utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits',
  ]);
  answer = () => {
    throw new Error('no driver');
  };
  await meter.look();
  await meter.look();
  expect(meter.latest?.gpu).toBeUndefined();
  expect(lines).toHaveLength(1);
});

test('GPUs are told of together: the mean of what they do, the sum of what they hold', () => {
  expect(parseGpus('50, 1024, 4096\n100, 2048, 4096\n')).toEqual({
    busyShare: 0.75,
    memoryBytes: 3072 * 1024 ** 2,
    totalBytes: 8192 * 1024 ** 2,
  });
  for (const other of ['', '[N/A], 1, 2', '1, 2', 'Failed to initialize NVML'])
    expect(() => parseGpus(other)).toThrow('another format');
});
