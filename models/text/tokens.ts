/**
 * A word (letters, digits, underscore, both apostrophes) or any other single character but ASCII white space. The
 * same text is a regular expression in JavaScript (with the u flag) and in RE2, which the ONNX graph runs.
 */
export const TOKEN_PATTERN = "[\\p{L}\\p{N}_'’]+|[^ \\t\\n\\f\\r\\p{L}\\p{N}_'’]";

const TOKENS = new RegExp(TOKEN_PATTERN, 'gu');

/** Lower-cases A to Z alone, as StringNormalizer does in the C locale. */
export function splitTokens(text: string): string[] {
  return text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()).match(TOKENS) ?? [];
}

/** Tokens and pairs of neighbours, joined by the space that no token holds. */
export function listTerms(tokens: readonly string[]): string[] {
  const terms = [...tokens];
  for (let at = 1; at < tokens.length; at++) terms.push(`${tokens[at - 1]} ${tokens[at]}`);
  return terms;
}
