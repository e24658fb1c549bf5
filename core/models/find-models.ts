import type { Platform } from '../ports/platform.ts';
import type { Page } from '../ports/registry.ts';
import type { ModelRoute } from './version.ts';

/** In order of name; with a `prefix` those whose names begin with it, and no other is read. */
export async function findModels(
  { registry }: Pick<Platform, 'registry'>,
  {
    limit,
    cursor,
    prefix = '',
  }: { readonly limit: number; readonly cursor?: string | undefined; readonly prefix?: string | undefined },
): Promise<Page<ModelRoute>> {
  const page = await registry.listModels(limit, cursor ?? beforeAll(prefix));
  const items = page.items.filter(({ model }) => model.startsWith(prefix));
  const isOver = items.length < page.items.length;
  return { items, next: isOver ? undefined : page.next };
}

/** After every name that sorts before the prefix, and before the prefix itself: names have no `~`, which sorts after all that they have. */
function beforeAll(prefix: string): string | undefined {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix === '' ? undefined : `${prefix.slice(0, -1)}${String.fromCharCode(last - 1)}~`;
}
