import type { SandboxRun } from '../../ports/sandbox.ts';
import type { Manifest } from '../manifest.ts';
import type { ModelVersion } from '../version.ts';
import { compareOutputs, type OutputDifference } from './compare-outputs.ts';
import type { LabelChange, OutputReport, ReplayReport, SideReport } from './report.ts';

/** Shown of each; counts tell of the rest. */
const MOST_DIFFERING = 100;
const MOST_CHANGES = 100;
const MOST_LABEL_LENGTH = 100;

/** How a version answered an input; `cold`: the first run of a process, which says nothing of the later ones. */
export type Answered = SandboxRun & { readonly cold: boolean };

type Counts = Pick<
  ReplayReport,
  'compared' | 'agree' | 'differ' | 'bothFailed' | 'outputs' | 'differing' | 'from' | 'to'
>;

/** Counts what two versions answered, input by input. `source` decides whether labels are kept. */
export class Tally {
  readonly #tolerance: Manifest['tolerance'];
  readonly #keepLabels: boolean;
  readonly #sides: readonly [SideTally, SideTally];
  readonly #outputs = new Map<string, OutputTally>();
  readonly #differing: string[] = [];
  readonly #counts = { agree: 0, differ: 0, bothFailed: 0 };

  constructor(from: ModelVersion, to: ModelVersion, source: ReplayReport['source']) {
    this.#tolerance = from.manifest.tolerance;
    this.#keepLabels = source === 'golden';
    this.#sides = [new SideTally(from), new SideTally(to)];
  }

  add(id: string, from: Answered, to: Answered): void {
    this.#sides[0].add(from);
    this.#sides[1].add(to);
    const verdict = this.#judge(from, to);
    this.#counts[verdict] += 1;
    if (verdict === 'differ' && this.#differing.length < MOST_DIFFERING) this.#differing.push(id);
  }

  report(): Counts {
    const { agree, differ, bothFailed } = this.#counts;
    return {
      from: this.#sides[0].report(),
      to: this.#sides[1].report(),
      compared: agree + differ + bothFailed,
      agree,
      differ,
      bothFailed,
      outputs: [...this.#outputs].map(([name, output]) => output.report(name)),
      differing: this.#differing,
    };
  }

  #judge(from: Answered, to: Answered): 'agree' | 'differ' | 'bothFailed' {
    if (from.kind !== 'done' || to.kind !== 'done') {
      return from.kind === 'done' || to.kind === 'done' ? 'differ' : 'bothFailed';
    }
    const differences = compareOutputs(from.outputs, to.outputs, this.#tolerance);
    for (const difference of differences) this.#outputOf(difference).add(difference);
    return differences.every(({ agrees }) => agrees) ? 'agree' : 'differ';
  }

  #outputOf(difference: OutputDifference): OutputTally {
    let output = this.#outputs.get(difference.name);
    if (output === undefined) {
      const kind = difference.kind === 'incomparable' ? difference.of : difference.kind;
      output = new OutputTally(kind, this.#keepLabels);
      this.#outputs.set(difference.name, output);
    }
    return output;
  }
}

class SideTally {
  readonly #version: ModelVersion;
  readonly #runMs: number[] = [];
  readonly #failed = { refused: 0, crashed: 0, 'timed-out': 0 };

  constructor(version: ModelVersion) {
    this.#version = version;
  }

  add(answered: Answered): void {
    if (answered.kind !== 'done') this.#failed[answered.kind] += 1;
    else if (!answered.cold) this.#runMs.push(answered.computeMs);
  }

  report(): SideReport {
    const { model, version } = this.#version;
    const { refused, crashed, 'timed-out': timedOut } = this.#failed;
    const sorted = this.#runMs.toSorted((a, b) => a - b);
    return { model, version, p50Ms: percentile(sorted, 50), p99Ms: percentile(sorted, 99), refused, crashed, timedOut };
  }
}

class OutputTally {
  readonly #kind: OutputReport['kind'];
  readonly #keepLabels: boolean;
  readonly #largest: number[] = [];
  readonly #changes = new Map<string, LabelChange>();
  #labels = 0;
  #changed = 0;
  #incomparable = 0;

  constructor(kind: OutputReport['kind'], keepLabels: boolean) {
    this.#kind = kind;
    this.#keepLabels = keepLabels;
  }

  add(difference: OutputDifference): void {
    if (difference.kind === 'incomparable') this.#incomparable += 1;
    else if (difference.kind === 'numbers') this.#largest.push(difference.largest);
    else {
      this.#labels += difference.labels;
      this.#changed += difference.changes.length;
      if (this.#keepLabels) for (const [from, to] of difference.changes) this.#change(shown(from), shown(to));
    }
  }

  report(name: string): OutputReport {
    const incomparable = this.#incomparable;
    if (this.#kind === 'numbers') {
      const sorted = this.#largest.toSorted((a, b) => a - b);
      const [p99Difference, largestDifference] = [percentile(sorted, 99) ?? 0, sorted.at(-1) ?? 0];
      return { kind: 'numbers', name, incomparable, largestDifference, p99Difference };
    }
    const changes = [...this.#changes.values()].sort((a, b) => b.count - a.count).slice(0, MOST_CHANGES);
    return { kind: 'labels', name, incomparable, labels: this.#labels, changed: this.#changed, changes };
  }

  #change(from: string, to: string): void {
    const key = JSON.stringify([from, to]);
    this.#changes.set(key, { from, to, count: (this.#changes.get(key)?.count ?? 0) + 1 });
  }
}

function shown(label: string): string {
  return label.slice(0, MOST_LABEL_LENGTH).toWellFormed();
}

/** By nearest rank; undefined of nothing. */
function percentile(sorted: readonly number[], percent: number): number | undefined {
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1];
}
