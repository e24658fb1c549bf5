import type {
  RolledUntil,
  RollUp,
  RollUpSpan,
  Telemetries,
  Telemetry,
  TelemetryItem,
  TelemetryStep,
  VersionName,
} from '../../core/ports/telemetry.ts';
import { readSeries } from '../../core/quality/read-series.ts';
import { Steps } from '../../core/quality/steps.ts';
import { mergeTelemetry } from '../../core/quality/telemetry.ts';
import { MINUTE_MS } from '../../core/units.ts';

/** Telemetry in memory, with all that was appended to look at. */
export class KeptTelemetry implements Telemetries {
  readonly items: TelemetryItem[] = [];
  readonly rollUps = new Map<string, RollUp>();
  rolled: RolledUntil | undefined;

  async append(items: readonly TelemetryItem[]): Promise<void> {
    this.items.push(...items);
  }

  async read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry> {
    const found = this.#itemsOf(model, version, fromMs, untilMs);
    return mergeTelemetry(
      found.map(({ telemetry }) => telemetry),
      release,
    );
  }

  async activeVersions(fromMs: number, untilMs: number): Promise<readonly VersionName[]> {
    const found = this.items.filter(({ windowStartMs: atMs }) => atMs >= fromMs && atMs < untilMs);
    return [...new Map(found.map(({ model, version }) => [`${model}@${version}`, { model, version }])).values()];
  }

  series(
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
    stepMs: number,
  ): Promise<readonly TelemetryStep[]> {
    const source = {
      readRollUps: this.readRollUps.bind(this),
      rolledUntil: async () => this.rolled,
      addReports: async (steps: Steps, range: { readonly fromMs: number; readonly untilMs: number }) => {
        for (const item of this.#itemsOf(model, version, range.fromMs, range.untilMs))
          steps.add(item.windowStartMs, item.telemetry);
      },
    };
    return readSeries(source, { model, version, fromMs, untilMs, stepMs });
  }

  async readMinutes(model: string, version: string, fromMs: number, untilMs: number): Promise<readonly RollUp[]> {
    const minutes = new Steps(fromMs - (fromMs % MINUTE_MS), MINUTE_MS);
    for (const item of this.#itemsOf(model, version, fromMs, untilMs)) minutes.add(item.windowStartMs, item.telemetry);
    return minutes.inOrder().map((step) => ({ model, version, span: 'minute', ...step }));
  }

  async readRollUps(
    span: RollUpSpan,
    model: string,
    version: string,
    fromMs: number,
    untilMs: number,
  ): Promise<readonly RollUp[]> {
    return [...this.rollUps.values()]
      .filter((one) => one.span === span && one.model === model && one.version === version)
      .filter(({ startMs }) => startMs >= fromMs && startMs < untilMs)
      .sort((a, b) => a.startMs - b.startMs);
  }

  async keepRollUps(rollUps: readonly RollUp[]): Promise<void> {
    for (const rollUp of rollUps) {
      const { span, model, version, startMs, reports } = rollUp;
      const name = `${span} ${model}@${version} ${startMs}`;
      if (reports >= (this.rollUps.get(name)?.reports ?? 0)) this.rollUps.set(name, rollUp);
    }
  }

  async rolledUntil(): Promise<RolledUntil | undefined> {
    return this.rolled;
  }

  async markRolled(until: RolledUntil): Promise<void> {
    this.rolled = until;
  }

  async purge(): Promise<number> {
    return 0;
  }

  #itemsOf(model: string, version: string, fromMs: number, untilMs: number): readonly TelemetryItem[] {
    return this.items.filter(
      (item) =>
        item.model === model &&
        item.version === version &&
        item.windowStartMs >= fromMs &&
        item.windowStartMs < untilMs,
    );
  }
}
