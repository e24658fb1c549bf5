import { readFileSync } from 'node:fs';
import { cpuMs, processTree } from './process-tree.ts';

const SAMPLE_EVERY_MS = 5_000;
/** /proc/stat counts in hundredths of a second. */
const TICK_MS = 10;

/**
 * CPU that processes other than the bench's own take from the machine, as a share of one core: figures of a machine that
 * does something else meanwhile are worth less.
 */
export class OtherLoad {
  #atMs = performance.now();
  #machineMs = machineBusyMs();
  #own = ownMs();
  #othersMs = 0;
  #elapsedMs = 0;
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS).unref();

  /** The share since the last call, or since the beginning. */
  take(): number {
    this.#sample();
    const share = this.#othersMs / Math.max(1, this.#elapsedMs);
    this.#othersMs = 0;
    this.#elapsedMs = 0;
    return Math.max(0, share);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const nowMs = performance.now();
    const machineMs = machineBusyMs();
    const own = ownMs();
    let ownSinceMs = 0;
    for (const [pid, ms] of own) ownSinceMs += ms - (this.#own.get(pid) ?? 0);
    this.#othersMs += machineMs - this.#machineMs - ownSinceMs;
    this.#elapsedMs += nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#machineMs = machineMs;
    this.#own = own;
  }
}

function ownMs(): Map<number, number> {
  return new Map(processTree(process.pid).map((pid) => [pid, cpuMs(pid)]));
}

/** user, nice, system, irq, softirq and steal; not idle and iowait. */
function machineBusyMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}
