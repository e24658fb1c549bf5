import { mkdtempSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type OpenRegion, openDirectory } from '../../adapters/local/open-region.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { SystemClock } from '../../adapters/node/system-clock.ts';
import type { ModelRunner } from '../../adapters/onnx/model-runner.ts';
import { createSandbox } from '../../adapters/onnx/sandbox.ts';
import { createTokenizers } from '../../adapters/tokenizers/tokenizers.ts';
import type { Artifacts } from '../../core/ports/artifacts.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Directory } from '../../core/ports/directory.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Sandbox, SandboxLimits } from '../../core/ports/sandbox.ts';
import type { Tokenizers } from '../../core/ports/tokenizers.ts';
import type { Uploads } from '../../core/ports/uploads.ts';
import type { Wake } from '../../core/ports/wake.ts';
import { spawnRunner } from '../../gpu-worker/runner-process.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import type { ArtifactsSubject } from './artifacts.contract.ts';
import { type Adapter, type Subject, withMore } from './contract.ts';
import type { DirectorySubject } from './directory.contract.ts';
import type { LogSubject } from './log.contract.ts';
import type { SandboxSubject } from './sandbox.contract.ts';
import type { TokenizersSubject } from './tokenizers.contract.ts';
import type { UploadsSubject } from './uploads.contract.ts';
import type { WakeSubject } from './wake.contract.ts';

type RegionPort = Exclude<keyof OpenRegion, 'close'>;

/** The local adapter of one port of a region. */
export function localPort<K extends RegionPort>(name: K): Adapter<OpenRegion[K]> {
  return { open: async () => subjectOf(await openLocalPlatform(), name) };
}

function subjectOf<K extends RegionPort>(platform: LocalPlatform, name: K): Subject<OpenRegion[K]> {
  return {
    get port() {
      return platform.ports[name];
    },
    nowMs: () => platform.clock.nowMs(),
    advance: (ms) => platform.clock.advance(ms),
    reopen: () => platform.reopen(),
    crash: () => platform.crash(),
    close: () => platform.close(),
  };
}

export const localArtifacts: Adapter<Artifacts, ArtifactsSubject> = {
  async open() {
    const platform = await openLocalPlatform();
    const fileOf = (digest: string) => join(platform.folder, 'artifacts', digest);
    return withMore(subjectOf(platform, 'artifacts'), {
      async damage(digest: string) {
        const bytes = await readFile(fileOf(digest));
        bytes[1000]! ^= 1;
        await writeFile(fileOf(digest), bytes);
      },
      lose: (digest: string) => rm(fileOf(digest)),
    });
  },
};

export const localTokenizers: Adapter<Tokenizers, TokenizersSubject> = {
  async open() {
    const platform = await openLocalPlatform();
    const { artifacts } = platform.ports;
    const fileOf = (digest: string) => join(platform.folder, 'artifacts', digest);
    return withMore(subjectOf(platform, 'artifacts'), {
      port: createTokenizers(artifacts),
      async store(bytes: Uint8Array) {
        const { digest } = await artifacts.store(Readable.from([bytes]));
        return digest;
      },
      async damage(digest: string) {
        const bytes = await readFile(fileOf(digest));
        bytes[100]! ^= 1;
        await writeFile(fileOf(digest), bytes);
      },
      lose: (digest: string) => rm(fileOf(digest)),
    });
  },
};

export const localSandbox: Adapter<Sandbox, SandboxSubject> = {
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const clock = new SystemClock();
    const runners: ModelRunner[] = [];
    const scratch = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const spawn = ({ memoryBytes }: SandboxLimits) => {
      const settings = { provider: 'cpu', intraOpThreads: 1, environment: {}, thorough: true } as const;
      const runner = spawnRunner({ ...settings, memoryLimitBytes: memoryBytes }, clock);
      runners.push(runner);
      return runner;
    };
    const port = createSandbox(clock, spawn, scratch);
    let files = 0;
    return withMore(hostSubject(port), {
      nowMs: () => clock.nowMs(),
      write(model: Uint8Array) {
        files += 1;
        const path = join(folder, `${files}.onnx`);
        writeFileSync(path, model);
        return path;
      },
      left: async () => runners.filter((runner) => runner.alive()).length + (await readdir(scratch)).length,
      async close() {
        for (const runner of runners) runner.kill();
        for (const each of [folder, scratch]) await rm(each, { recursive: true });
      },
    });
  },
};

export const localUploads: Adapter<Uploads, UploadsSubject> = {
  async open() {
    const subject = subjectOf(await openLocalPlatform(), 'uploads');
    return withMore(subject, {
      put(url: string, bytes: AsyncIterable<Uint8Array>) {
        const { pathname, searchParams } = new URL(url, 'http://localhost');
        return subject.port.receive(pathname.slice('/uploads/'.length), searchParams.get('token') ?? '', bytes);
      },
    });
  },
};

const ALWAYS_THERE = 'the workers of one machine are there with the host: it starts none';

export const localWake: Adapter<Wake, WakeSubject> = {
  deviations: {
    'asks for one start a minute, after a restart too, whoever asks': ALWAYS_THERE,
    'asks for each pool by itself': ALWAYS_THERE,
    'does not throw where a start is refused, and asks again after a minute': ALWAYS_THERE,
    'leaves a pool alone that was given workers already': ALWAYS_THERE,
    'says less the longer a start is under way, and what the last starts took for the next one': ALWAYS_THERE,
  },
  async open() {
    const nothing = () => {};
    const starts = { starts: () => 0, refuseStarts: nothing, startElsewhere: nothing, stop: nothing };
    return withMore(subjectOf(await openLocalPlatform(), 'wake'), starts);
  },
};

export const localDirectory: Adapter<Directory, DirectorySubject> = {
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    let [port, other] = [openDirectory(folder), openDirectory(folder)];
    const reopen = async () => {
      port.close();
      other.close();
      [port, other] = [openDirectory(folder), openDirectory(folder)];
    };
    return {
      get port() {
        return port;
      },
      get other() {
        return other;
      },
      nowMs: () => 0,
      advance: async () => {},
      reopen,
      // Every write is a transaction of its own: there is nothing else to lose.
      crash: reopen,
      async close() {
        port.close();
        other.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

export const localClock: Adapter<Clock> = { open: async () => hostSubject(new SystemClock()) };

export const localLog: Adapter<Log, LogSubject> = {
  async open() {
    let [written, isBroken] = ['', false];
    const write = (line: string) => {
      if (isBroken) throw new Error('no space left');
      written += line;
    };
    return withMore(hostSubject<Log>(new JsonLog({ write }, new SystemClock(), 'debug')), {
      written: () => written,
      breakSink: () => {
        isBroken = true;
      },
    });
  },
};

/** A port without anything that could be restarted. */
function hostSubject<P>(port: P): Subject<P> {
  const nothing = async () => {};
  return { port, nowMs: () => Date.now(), advance: (ms) => delay(ms), reopen: nothing, crash: nothing, close: nothing };
}
