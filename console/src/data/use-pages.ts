import { useState } from 'react';
import { type Resource, useResource } from './use-resource.ts';

export type ListPage<T> = { readonly items: readonly T[]; readonly next: string | null };

/** One page of a list that the server pages, and the way to the others. */
export type Pages<T> = {
  readonly page: Resource<ListPage<T>>;
  /** From 1. */
  readonly at: number;
  /** As far as is known; there may be more where `isOpen`. */
  readonly known: number;
  readonly isOpen: boolean;
  readonly goTo: (page: number) => void;
};

/**
 * Pages by cursor: those before the present one are known by the way to it. `key` names the list: another key, such as that of
 * another filter, begins with its first page.
 */
export function usePages<T>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<T>>,
  options: { readonly everyMs?: number } = {},
): Pages<T> {
  const [way, setWay] = useState<{ readonly key: string; readonly cursors: readonly string[]; readonly at: number }>({
    key,
    cursors: [],
    at: 1,
  });
  const { cursors, at } = way.key === key ? way : { cursors: [], at: 1 };
  const cursor = at === 1 ? undefined : cursors[at - 2];
  const page = useResource<ListPage<T>>(`${key} ${cursor ?? ''}`, (signal) => load(cursor, signal), options);
  const next = page.kind === 'ready' ? page.value.next : null;
  return {
    page,
    at,
    known: Math.max(cursors.length + 1, at),
    isOpen: next !== null && cursors.length < at,
    goTo(wanted) {
      const known = next === null || cursors.length >= at ? cursors : [...cursors, next];
      setWay({ key, cursors: known, at: Math.max(1, Math.min(wanted, known.length + 1)) });
    },
  };
}
