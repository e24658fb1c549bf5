import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { buildOpenApi } from '../core/api/openapi.ts';

/** Where the types of the TypeScript client are; in the repository, so that its users need no generator. */
export const SCHEMA_FILE = join(import.meta.dirname, 'typescript', 'schema.ts');

const BIOME = join(import.meta.dirname, '..', 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
const BANNER = '/* Made from the OpenAPI document by `npm run client:generate`; not to be changed by hand. */';

/** What the compiler says of every definition, alone or after what the definition says itself. */
const REFERRED_BY =
  / \* This (?:interface|type) was referenced by `Operations`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/;
const COMMENT_ALONE = new RegExp(`/\\*\\*\\n${REFERRED_BY.source} \\*/\\n`, 'g');
const COMMENT_AFTER = new RegExp(` \\*\\n${REFERRED_BY.source}`, 'g');

type Schema = { readonly [key: string]: unknown };
type Content = { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
type Parameter = { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: Schema };
type Operation = {
  readonly operationId: string;
  readonly parameters: readonly ({ readonly $ref: string } | Parameter)[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
  };
};

/**
 * The types of every schema and operation of the API, and the table of operations, as TypeScript source: formatted, the same
 * for the same route table.
 */
export async function generateSchema(): Promise<string> {
  const document = buildOpenApi('1') as Document;
  const operations = operationsOf(document);
  const root = {
    title: 'Operations',
    description: 'What each operation takes and answers, by its id.',
    definitions: document.components.schemas,
    ...object(Object.fromEntries(operations.map(({ id, schema }) => [id, schema]))),
  };
  const types = await compile(withoutIds(root) as Parameters<typeof compile>[0], 'Operations', {
    additionalProperties: false,
    bannerComment: BANNER,
    format: false,
    unreachableDefinitions: true,
    // Else lists of a few become unions of tuples, which no caller's array is.
    ignoreMinAndMaxItems: true,
  });
  const table = operations.map(
    ({ id, method, path, errorStatus }) =>
      `'${id}': [${[method.toUpperCase(), path].map((text) => `'${text}'`)}${errorStatus}],`,
  );
  const text = `${types.replaceAll(COMMENT_ALONE, '').replaceAll(COMMENT_AFTER, '')}
/** Method and path of each operation, and the error status that is an answer of it, if there is one. */
export const OPERATIONS = {\n${table.join('\n')}\n} as const satisfies Record<keyof Operations, readonly [string, string, number?]>;
`;
  return formatted(text);
}

function operationsOf(document: Document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method,
      path,
      errorStatus: Object.keys(operation.responses).flatMap((status) => (Number(status) >= 400 ? [`, ${status}`] : [])),
      schema: operationSchema(operation, document),
    })),
  );
}

/** `params`, `query` and `body` where there are such, and `answer`. */
function operationSchema(operation: Operation, { components }: Document): Schema {
  const parameters = operation.parameters.map((each) =>
    '$ref' in each ? components.parameters[each.$ref.split('/').at(-1)!]! : each,
  );
  const group = (place: string) => {
    const found = parameters.filter((parameter) => parameter.in === place);
    return found.length === 0 ? undefined : found;
  };
  const answers = Object.entries(operation.responses).flatMap(([status, response]) =>
    status === 'default' ? [] : [contentSchema(response)],
  );
  const query = parametersSchema(group('query'));
  const parts = {
    params: parametersSchema(group('path')),
    query,
    body: operation.requestBody === undefined ? undefined : contentSchema(operation.requestBody),
    answer: answers.length === 1 ? answers[0] : { anyOf: answers },
  };
  const present = Object.entries(parts).filter((part): part is [string, Schema] => part[1] !== undefined);
  const needsQuery = (query?.required as readonly string[] | undefined)?.length;
  const required = present.map(([name]) => name).filter((name) => name !== 'query' || needsQuery);
  return object(Object.fromEntries(present), required);
}

function parametersSchema(parameters: readonly Parameter[] | undefined): Schema | undefined {
  if (parameters === undefined) return undefined;
  const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  return object(Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])), required);
}

function contentSchema({ content }: Content): Schema {
  if (content === undefined) return { tsType: 'undefined' };
  return content['application/json']?.schema ?? { tsType: 'Uint8Array' };
}

function object(properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** References to definitions of this schema. `id` is how schemas are named here, and a base address to the compiler. */
function withoutIds(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutIds);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => {
      if (key === '$ref' && typeof value === 'string')
        return [[key, value.replace('#/components/schemas/', '#/definitions/')]];
      return key === 'id' && typeof value === 'string' ? [] : [[key, withoutIds(value)]];
    }),
  );
}

function formatted(source: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = [BIOME, 'format', `--stdin-file-path=${SCHEMA_FILE}`];
    const child = execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
    child.stdin?.end(source);
  });
}

if (import.meta.main) await writeFile(SCHEMA_FILE, await generateSchema());
