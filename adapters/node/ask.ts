import type { Ask } from '../../core/operations/synthetic.ts';

/** Asks the region at `url` over HTTP, as any caller would. A redirect is no answer. */
export function askAt(url: string): Ask {
  return async ({ method, path, headers, body }, signal) => {
    const answer = await fetch(`${url}${path}`, { method, headers, body: body ?? null, signal, redirect: 'error' });
    return { status: answer.status, text: await answer.text() };
  };
}
