export type Resource = {
  readonly Type: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: unknown;
};

type Output = { readonly Value: unknown; readonly Export?: { readonly Name: unknown } };

export type Template = {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
};

/** Templates by the stack's name. */
export type Templates = Readonly<Record<string, Template>>;

export type LeftOut = {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly why: string;
};

/**
 * The templates without the resources against which `objectionTo` has something, and without what refers to those, in the same
 * stack or by an export; and what has been left out. What merely had to wait for them stays.
 */
export function leaveOut(
  templates: Templates,
  objectionTo: (resource: Resource) => string | undefined,
): { readonly templates: Templates; readonly leftOut: readonly LeftOut[] } {
  const gone = new Map<string, LeftOut>();
  const goneExports = new Map<string, string>();
  for (let before = -1; before < gone.size; ) {
    before = gone.size;
    for (const [stack, template] of Object.entries(templates)) {
      for (const [id, resource] of Object.entries(template.Resources)) {
        const at = `${stack}/${id}`;
        if (gone.has(at)) continue;
        const because = firstGone(stack, resource.Properties, gone, goneExports);
        const why = objectionTo(resource) ?? (because && `refers to ${because.split('/')[1]}`);
        if (why !== undefined) gone.set(at, { stack, id, type: resource.Type, why });
      }
      for (const { Value, Export } of Object.values(template.Outputs ?? {})) {
        const because = firstGone(stack, Value, gone, goneExports);
        if (because !== undefined && typeof Export?.Name === 'string') goneExports.set(Export.Name, because);
      }
    }
  }
  const kept = Object.entries(templates).map(([stack, template]) => [
    stack,
    without(stack, template, gone, goneExports),
  ]);
  return { templates: Object.fromEntries(kept), leftOut: [...gone.values()] };
}

type Gone = ReadonlyMap<string, unknown>;

function without(stack: string, template: Template, gone: Gone, exports: ReadonlyMap<string, string>): Template {
  const resources = Object.entries(template.Resources)
    .filter(([id]) => !gone.has(`${stack}/${id}`))
    .map(([id, { DependsOn, ...resource }]) => {
      const waits = [DependsOn ?? []].flat().filter((other) => !gone.has(`${stack}/${other}`));
      return [id, waits.length === 0 ? resource : { ...resource, DependsOn: waits }];
    });
  const outputs = Object.entries(template.Outputs ?? {}).filter(
    ([, { Value }]) => firstGone(stack, Value, gone, exports) === undefined,
  );
  return { ...template, Resources: Object.fromEntries(resources), Outputs: Object.fromEntries(outputs) };
}

function firstGone(
  stack: string,
  value: unknown,
  gone: Gone,
  exports: ReadonlyMap<string, string>,
): string | undefined {
  for (const reference of referencesOf(value)) {
    if (typeof reference === 'string' && gone.has(`${stack}/${reference}`)) return `${stack}/${reference}`;
    if (typeof reference === 'object' && exports.has(reference.imported)) return exports.get(reference.imported);
  }
  return undefined;
}

/** Ids of the same template, and names that other stacks export. */
function* referencesOf(value: unknown): Generator<string | { readonly imported: string }> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'Ref' && typeof inner === 'string') yield inner;
    else if (key === 'Fn::GetAtt') yield String(Array.isArray(inner) ? inner[0] : String(inner).split('.')[0]);
    else if (key === 'Fn::ImportValue' && typeof inner === 'string') yield { imported: inner };
    else if (key === 'Fn::Sub') yield* substitutedIn(inner);
    yield* referencesOf(inner);
  }
}

function* substitutedIn(text: unknown): Generator<string> {
  for (const [, id] of JSON.stringify(text).matchAll(/\$\{([A-Za-z0-9]+)[.}]/g)) yield id!;
}
