/** One resource of a REST API: its methods, and what lies below it. */
export type Resource<Method> = {
  readonly path: string;
  readonly fixed: Map<string, Resource<Method>>;
  readonly methods: Map<string, Method>;
  /** `{name}`: one segment. */
  variable: Resource<Method> | undefined;
  /** `{name+}`: the rest. */
  greedy: Resource<Method> | undefined;
};

export type ResourceMatch<Method> = {
  readonly resource: string;
  readonly method: Method;
  readonly parameters: Readonly<Record<string, string>> | null;
};

/** The tree of `POST /a/{b}`, `ANY /{proxy+}` and so on. */
export function toResources<Method>(methods: Readonly<Record<string, Method>>): Resource<Method> {
  const root = emptyResource<Method>('/');
  for (const [route, method] of Object.entries(methods)) {
    const [verb, path] = route.split(' ') as [string, string];
    let at = root;
    for (const segment of segmentsOf(path)) at = childOf(at, segment);
    at.methods.set(verb, method);
  }
  return root;
}

/**
 * The resource of a path as API Gateway finds it: a name before a variable before the rest of the path, and then its method
 * or ANY. undefined: the gateway refuses it (`Missing Authentication Token`), as for a resource without that method.
 * Parameters are decoded (.../api-gateway-known-issues.html, REST APIs); a slash at the end is not looked at.
 */
export function matchResource<Method>(
  root: Resource<Method>,
  verb: string,
  path: string,
): ResourceMatch<Method> | undefined {
  const segments = segmentsOf(path);
  const found = find(root, segments);
  const method = found?.methods.get(verb) ?? found?.methods.get('ANY');
  if (found === undefined || method === undefined) return undefined;
  return { resource: found.path, method, parameters: parametersOf(found.path, segments) };
}

function find<Method>(at: Resource<Method>, segments: readonly string[]): Resource<Method> | undefined {
  const [first, ...rest] = segments;
  if (first === undefined) return at.methods.size > 0 ? at : undefined;
  const fixed = at.fixed.get(first);
  return (
    (fixed && find(fixed, rest)) ?? (at.variable && first !== '' ? find(at.variable, rest) : undefined) ?? at.greedy
  );
}

function parametersOf(resource: string, segments: readonly string[]): Record<string, string> | null {
  const parameters: Record<string, string> = {};
  segmentsOf(resource).forEach((part, at) => {
    if (part.endsWith('+}')) parameters[part.slice(1, -2)] = segments.slice(at).map(decode).join('/');
    else if (part.startsWith('{')) parameters[part.slice(1, -1)] = decode(segments[at]!);
  });
  return Object.keys(parameters).length === 0 ? null : parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function segmentsOf(path: string): string[] {
  return path === '/' || path === '' ? [] : path.replace(/^\//, '').replace(/\/$/, '').split('/');
}

function childOf<Method>(at: Resource<Method>, segment: string): Resource<Method> {
  const path = `${at.path === '/' ? '' : at.path}/${segment}`;
  if (segment.endsWith('+}')) {
    at.greedy ??= emptyResource(path);
    return at.greedy;
  }
  if (segment.startsWith('{')) {
    at.variable ??= emptyResource(path);
    return at.variable;
  }
  const child = at.fixed.get(segment) ?? emptyResource<Method>(path);
  at.fixed.set(segment, child);
  return child;
}

function emptyResource<Method>(path: string): Resource<Method> {
  return { path, fixed: new Map(), methods: new Map(), variable: undefined, greedy: undefined };
}
