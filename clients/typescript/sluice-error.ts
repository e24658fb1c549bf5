import type { Problem } from './schema.ts';

/**
 * Beside the codes of the server: `network` (no answer came), `answer-unreadable` (not from Sluice, or cut off), `still-pending`
 * (the prediction was accepted and has not ended in the time given).
 */
export type SluiceErrorCode = Problem['code'] | 'network' | 'answer-unreadable' | 'still-pending';

type Details = {
  readonly code: SluiceErrorCode;
  readonly message: string;
  readonly advice: string;
  readonly status?: number | undefined;
  readonly retryable?: boolean | undefined;
  readonly retryAfterS?: number | undefined;
  readonly requestId?: string | undefined;
  readonly predictionId?: string | undefined;
  readonly problem?: Problem | undefined;
  readonly cause?: unknown;
};

/** Whatever a call can fail with, but for an `AbortSignal` of the caller's own. Branch on `code`: codes are never renamed. */
export class SluiceError extends Error {
  readonly code: SluiceErrorCode;
  /** What to do about it, in a sentence. */
  readonly advice: string;
  /** Of the HTTP answer, if there was one. */
  readonly status: number | undefined;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** Seconds after which it makes sense to try again, where the server says so. */
  readonly retryAfterS: number | undefined;
  /** The id under which the server's log knows the request. */
  readonly requestId: string | undefined;
  /** The prediction that failed or is pending, if it was accepted. */
  readonly predictionId: string | undefined;
  /** RFC 9457, with the facts of the failure in further members. */
  readonly problem: Problem | undefined;

  constructor(details: Details) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SluiceError';
    this.code = details.code;
    this.advice = details.advice;
    this.status = details.status;
    this.retryable = details.retryable ?? false;
    this.retryAfterS = details.retryAfterS;
    this.requestId = details.requestId;
    this.predictionId = details.predictionId;
    this.problem = details.problem;
  }
}

/** The error of an answer that is none of the operation's. Answers of proxies in between are `answer-unreadable`. */
export function errorOf(status: number, headers: Headers, text: string): SluiceError {
  const problem = parseProblem(text);
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : undefined;
  if (problem === undefined) return unreadable(status, retryAfterS);
  const { prediction_id: predictionId } = problem as { prediction_id?: string };
  return new SluiceError({
    code: problem.code,
    message: problem.detail === problem.title ? problem.title : `${problem.title}: ${problem.detail}`,
    advice: problem.advice,
    status,
    retryable: problem.retryable,
    retryAfterS,
    requestId: problem.request_id,
    predictionId,
    problem,
  });
}

export function networkError(cause: unknown): SluiceError {
  const advice = 'Check the address and the connection; from a browser, that its origin is allowed.';
  return new SluiceError({ code: 'network', message: 'No answer', advice, retryable: true, cause });
}

export function unreadable(status: number, retryAfterS?: number, cause?: unknown): SluiceError {
  return new SluiceError({
    code: 'answer-unreadable',
    message: `An answer with status ${status} that is not Sluice's`,
    advice: 'Check the address; something between here and there may have answered.',
    status,
    retryable: status >= 500,
    retryAfterS,
    cause,
  });
}

function parseProblem(text: string): Problem | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Problem> | null;
    return typeof parsed?.code === 'string' && typeof parsed.detail === 'string' ? (parsed as Problem) : undefined;
  } catch {
    return undefined;
  }
}
