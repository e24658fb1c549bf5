import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SampleCredentials } from '../embedded/sample-data.ts';
import { printable } from './printable.ts';

export type Connection = { readonly url: string; readonly apiKey: string };

export type Problem = {
  readonly title?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly advice?: string;
  readonly problems?: readonly string[];
};

/** What the server said no to, in words for a terminal. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(describeProblem(problem, status));
    this.name = 'RequestRefused';
    this.status = status;
    this.code = problem.code;
    this.problem = problem;
  }
}

/** The server could not be reached: whether it did what it was asked is not known. */
export class NoAnswer extends Error {}

/** Members of a problem that say the same everywhere, or are told in a place of their own. */
const TOLD = new Set([
  'type',
  'title',
  'status',
  'detail',
  'instance',
  'code',
  'request_id',
  'retryable',
  'advice',
  'error',
]);

/** Title, what happened and where, every single problem, and what to do. */
export function describeProblem(problem: Problem, status?: number): string {
  const tags = [status, problem.code].filter((tag) => tag !== undefined);
  const lines = [`${problem.title ?? 'Refused'}${tags.length === 0 ? '' : ` (${tags.join(', ')})`}`];
  if (problem.detail !== undefined && problem.detail !== problem.title) lines.push(`  ${problem.detail}`);
  // What the advice refers to.
  const facts = Object.entries(problem).filter(([name, value]) => !TOLD.has(name) && typeof value !== 'object');
  if (facts.length > 0) lines.push(`  ${facts.map(([name, value]) => `${name}: ${value}`).join(', ')}`);
  for (const each of problem.problems ?? []) lines.push(`  - ${each}`);
  if (problem.advice !== undefined) lines.push(`  ${problem.advice}`);
  return lines.map(printable).join('\n');
}

/** One JSON request to a region; throws `RequestRefused` on an error status. */
export async function request<T>(
  connection: Connection,
  method: string,
  path: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await send(connection, { method, path, body, more });
  const text = await response.text();
  if (!response.ok) throw new RequestRefused(response.status, parseProblem(text));
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

type Call = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly more: Readonly<Record<string, string>>;
};

async function send(connection: Connection, { method, path, body, more }: Call): Promise<Response> {
  const headers: Record<string, string> = { ...more, authorization: `Bearer ${connection.apiKey}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    // A region's address may have a path of its own.
    return await fetch(`${connection.url.replace(/\/+$/, '')}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw noAnswer(connection.url, cause);
  }
}

export function noAnswer(url: string, cause: unknown): NoAnswer {
  return new NoAnswer(
    `No answer from ${url}. Is it running? Start it with \`npm start\`, or name another with --url.`,
    {
      cause,
    },
  );
}

/** The problem document of an error answer, whatever the answer is. */
export function parseProblem(text: string): Problem {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}

export async function readSampleCredentials(dataFolder: string): Promise<SampleCredentials> {
  return JSON.parse(await readFile(join(dataFolder, 'sample-credentials.json'), 'utf8')) as SampleCredentials;
}
