/** A statement of a policy as it stands in a template; the policies here only allow. */
export type Statement = {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

/** What one call needs: an action on a resource, with what is known of the request. */
export type Need = {
  /** As `dynamodb:GetItem`. */
  readonly action: string;
  /** An ARN. */
  readonly resource: string;
  /** By condition key, what the request says of it; what is not here it does not say. */
  readonly context: Readonly<Record<string, string>>;
};

type Test = (pattern: string, value: string) => boolean;

const OPERATORS: Readonly<Record<string, Test>> = {
  StringEquals: (pattern, value) => pattern === value,
  StringLike: matches,
};

/**
 * As IAM decides (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html) of policies that
 * allow alone. Throws at what is not understood: another effect, operator or element.
 */
export function isAllowed(statements: readonly Statement[], { action, resource, context }: Need): boolean {
  for (const statement of statements) expectUnderstood(statement);
  return statements.some(
    ({ Action, Resource, Condition }) =>
      list(Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
      list(Resource).some((pattern) => matches(pattern, resource)) &&
      holds(Condition, context),
  );
}

/** `*` is any text, `?` one character. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

/** All operators and all of their keys; of the values of a key, any. A key that the request does not have is not met. */
function holds(condition: Statement['Condition'], context: Need['context']): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      const value = context[key];
      return value !== undefined && list(values).some((pattern) => OPERATORS[operator]!(pattern, value));
    }),
  );
}

function expectUnderstood(statement: Statement): void {
  const unknown = Object.keys(statement).filter(
    (name) => !['Effect', 'Action', 'Resource', 'Condition', 'Sid'].includes(name),
  );
  const operators = Object.keys(statement.Condition ?? {}).filter((operator) => OPERATORS[operator] === undefined);
  if (statement.Effect !== 'Allow' || unknown.length > 0 || operators.length > 0) {
    throw new Error(`a statement is not understood: ${JSON.stringify(statement)}`);
  }
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}
