import { z } from 'zod';

export type JsonSchema = { readonly [key: string]: unknown };

/**
 * JSON Schemas of zod schemas for one document. Schemas with a `meta` id go to `components` once and are referred to;
 * two that share an id must say the same.
 */
export class SchemaBook {
  readonly components: Record<string, JsonSchema> = {};

  /** `input` is what a caller may send (defaults left out), `output` what is answered. */
  refer(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io });
    for (const [id, definition] of Object.entries($defs ?? {})) this.#add(id, definition as JsonSchema);
    return rewritten(root) as JsonSchema;
  }

  #add(id: string, definition: JsonSchema): void {
    const component = rewritten(definition) as JsonSchema;
    const before = this.components[id];
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(component)) {
      throw new Error(`two schemas are called ${id}`);
    }
    this.components[id] = component;
  }
}

/** With references to `$defs` turned into references to the document's components. */
function rewritten(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(rewritten);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && typeof value === 'string'
        ? [key, value.replace('#/$defs/', '#/components/schemas/')]
        : [key, rewritten(value)],
    ),
  );
}
