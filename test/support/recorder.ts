import type { Telemetries, Telemetry, TelemetryItem } from '../../core/ports/telemetry.ts';
import { mergeTelemetry } from '../../core/quality/telemetry.ts';

/** Telemetry in memory, with all that was appended to look at. */
export class KeptTelemetry implements Telemetries {
  readonly items: TelemetryItem[] = [];

  async append(items: readonly TelemetryItem[]): Promise<void> {
    this.items.push(...items);
  }

  async read(model: string, version: string, fromMs: number, untilMs: number, release?: string): Promise<Telemetry> {
    const found = this.items.filter(
      (item) =>
        item.model === model &&
        item.version === version &&
        item.windowStartMs >= fromMs &&
        item.windowStartMs < untilMs,
    );
    return mergeTelemetry(
      found.map(({ telemetry }) => telemetry),
      release,
    );
  }

  async purge(): Promise<number> {
    return 0;
  }
}
