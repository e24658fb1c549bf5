import type { RequestTensor } from '../../../../clients/typescript/schema.ts';

/** The request as a command that anybody with a key of the tenant can send; a key never stands in it. */
export function curlCommand(
  url: string,
  request: { readonly model: string; readonly version: string | undefined; readonly inputs: readonly RequestTensor[] },
): string {
  const { model, version, inputs } = request;
  const path = `/v2/models/${model}${version === undefined ? '' : `/versions/${version}`}/infer`;
  return [
    `curl -sS ${quoted(`${url}${path}`)}`,
    `  -H "Authorization: Bearer $SLUICE_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${quoted(JSON.stringify({ inputs }))}`,
  ].join(' \\\n');
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
