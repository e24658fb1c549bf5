import type { FailureCode } from '../failure.ts';
import { PARAMS, type ParamName } from './params.ts';
import { ROUTES, type Route } from './routes.ts';

export type RouteMatch = { readonly route: Route; readonly params: Readonly<Record<string, string>> };

type Node = {
  readonly fixed: Map<string, Node>;
  readonly routes: Map<string, Route>;
  variable: { readonly name: ParamName; readonly node: Node } | undefined;
  allow: readonly string[];
};

const ROOT = buildTree();

/**
 * The endpoint for a method (upper case) and a path without its query. Parameters are percent-decoded and match PARAMS.
 * A string is the failure: `route-unknown`, or what its parameter names is unknown (`model-unknown`, …) because nothing can
 * have such a name; a malformed percent-encoding is one of these. `allow` lists the methods that the path does have.
 */
export function matchRoute(
  method: string,
  path: string,
): RouteMatch | { readonly allow: readonly string[] } | FailureCode {
  if (path.charCodeAt(0) !== 0x2f) return 'route-unknown';
  let node = ROOT;
  const params: Record<string, string> = {};
  for (let start = 1; start <= path.length; ) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const segment = path.slice(start, end);
    const fixed = node.fixed.get(segment);
    if (fixed !== undefined) {
      node = fixed;
    } else {
      const { variable } = node;
      if (variable === undefined || segment === '') return 'route-unknown';
      const value = decodeSegment(segment);
      if (value === undefined || !PARAMS[variable.name].pattern.test(value)) return PARAMS[variable.name].unknown;
      params[variable.name] = value;
      node = variable.node;
    }
    start = end + 1;
  }
  const route = node.routes.get(method);
  if (route !== undefined) return { route, params };
  return node.allow.length === 0 ? 'route-unknown' : { allow: node.allow };
}

function decodeSegment(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function buildTree(): Node {
  const root = emptyNode();
  for (const route of ROUTES) {
    let node = root;
    for (const segment of route.path.slice(1).split('/')) node = childOf(node, segment);
    if (node.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
    node.routes.set(route.method, route);
    node.allow = [...node.routes.keys()].sort();
  }
  return root;
}

function childOf(node: Node, segment: string): Node {
  if (segment.startsWith('{')) {
    const name = segment.slice(1, -1) as ParamName;
    if (!Object.hasOwn(PARAMS, name)) throw new Error(`PARAMS does not say what {${name}} is`);
    node.variable ??= { name, node: emptyNode() };
    if (node.variable.name !== name) throw new Error(`{${node.variable.name}} and {${name}} stand in one place`);
    return node.variable.node;
  }
  const child = node.fixed.get(segment) ?? emptyNode();
  node.fixed.set(segment, child);
  return child;
}

function emptyNode(): Node {
  return { fixed: new Map(), routes: new Map(), variable: undefined, allow: [] };
}
