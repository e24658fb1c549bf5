/** `retryAfterMs` → `retry_after_ms`: how names of the core are spelled in JSON. */
type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : S;

/** The same members under their JSON names. */
export type SnakeKeys<T> = { [K in keyof T as K extends string ? SnakeCase<K> : never]: T[K] };

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
export type CamelKeys<T> = { [K in keyof T as K extends string ? CamelCase<K> : never]: T[K] };

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A shallow copy with JSON names. */
export function snakeKeys<T extends object>(value: T): SnakeKeys<T> {
  return renamed(value, snakeCase) as SnakeKeys<T>;
}

/** The way back: a shallow copy with the core's names. */
export function camelKeys<T extends object>(value: T): CamelKeys<T> {
  return renamed(value, (name) =>
    name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ) as CamelKeys<T>;
}

function renamed(value: object, rename: (name: string) => string): object {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [rename(key), member]));
}
