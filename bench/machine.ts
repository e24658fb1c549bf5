import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.ts';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** File system under the data folders, and what a write of 4 KiB with fsync takes there. */
  readonly disk: { readonly fileSystem: string; readonly fsyncMs: number };
};

/** What the figures were measured on. */
export function describeMachine(): Machine {
  const onnxruntime = join(import.meta.dirname, '..', 'node_modules', 'onnxruntime-node', 'package.json');
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${release()}`,
    node: process.version,
    onnxruntime: (JSON.parse(readFileSync(onnxruntime, 'utf8')) as { version: string }).version,
    disk: { fileSystem: fileSystemOf(tmpdir()), fsyncMs: fsyncMs() },
  };
}

/** Of the mount point with the longest matching path. */
function fileSystemOf(path: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at = '']) => path === at || path.startsWith(at === '/' ? '/' : `${at}/`))
    .toSorted(([, a = ''], [, b = '']) => b.length - a.length);
  return mounts[0]?.[2] ?? 'unknown';
}

function fsyncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fsync-'));
  const file = openSync(join(folder, 'file'), 'w');
  const times: number[] = [];
  for (let count = 0; count < 50; count += 1) {
    const startMs = performance.now();
    writeSync(file, Buffer.alloc(4_096));
    fsyncSync(file);
    times.push(performance.now() - startMs);
  }
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}
