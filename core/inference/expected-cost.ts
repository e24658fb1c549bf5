import type { Validation } from '../models/report.ts';

/** What runs of rows of one length are expected to cost before any was seen. */
export type ExpectedCost = {
  /** Milliseconds of a row alone. */
  readonly rowMs: number;
  /** Milliseconds of one more row; undefined where it was not measured. */
  readonly perRowMs: number | undefined;
};

/**
 * From what validation measured: between two measured lengths in proportion, above the longest as if costs grew with length,
 * below the shortest as that. `length` counts elements of a row as batches do.
 */
export function expectedCost({ speed, rowMs }: Pick<Validation, 'speed' | 'rowMs'>, length: number): ExpectedCost {
  const lengths = [...new Set(speed.map((point) => point.length))].sort((a, b) => a - b);
  const above = lengths.find((measured) => measured >= length);
  const below = lengths.findLast((measured) => measured <= length);
  if (below === undefined) return above === undefined ? { rowMs, perRowMs: undefined } : costAt(speed, above);
  if (above === undefined) return scaled(costAt(speed, below), length / below);
  const low = costAt(speed, below);
  const high = costAt(speed, above);
  const share = above === below ? 0 : (length - below) / (above - below);
  return {
    rowMs: low.rowMs + share * (high.rowMs - low.rowMs),
    perRowMs:
      low.perRowMs === undefined || high.perRowMs === undefined
        ? (low.perRowMs ?? high.perRowMs)
        : low.perRowMs + share * (high.perRowMs - low.perRowMs),
  };
}

/** The secant from the smallest run to the largest. */
function costAt(speed: Validation['speed'], length: number): ExpectedCost {
  const points = speed.filter((point) => point.length === length).sort((a, b) => a.rows - b.rows);
  const first = points[0]!;
  const last = points.at(-1)!;
  const perRowMs =
    last.rows > first.rows ? Math.max(0, (last.runMs - first.runMs) / (last.rows - first.rows)) : undefined;
  return { rowMs: first.runMs / first.rows, perRowMs };
}

function scaled({ rowMs, perRowMs }: ExpectedCost, factor: number): ExpectedCost {
  return { rowMs: rowMs * factor, perRowMs: perRowMs === undefined ? undefined : perRowMs * factor };
}
