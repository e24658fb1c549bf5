/** Requests that should be answered, of those that are not refused for their callers' mistakes: a month may have 43 minutes of failure. */
export const DEFAULT_SLO = 0.999;

/** Requests of a span, and how many of them failed through us. */
export type Outcomes = { readonly requests: number; readonly errors: number };

/** Fewer say nothing: with 20, one failure alone would be 50 times the budget of 99.9 %. */
const LEAST_REQUESTS = 50;

/**
 * How many times as fast as the objective allows the error budget was spent: 1 spends all of it in its period exactly. Undefined where
 * there were too few requests to tell. The windows and factors of alarms are those of the Site Reliability Workbook, chapter 5: of a budget of
 * 30 days, 14.4 spends 2 % in an hour, 6 spends 5 % in six.
 */
export function burnRate({ requests, errors }: Outcomes, objective: number = DEFAULT_SLO): number | undefined {
  return requests < LEAST_REQUESTS ? undefined : errors / requests / (1 - objective);
}
