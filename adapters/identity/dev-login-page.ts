/** Served beside the page, so that it needs no inline style. */
export const LOGIN_CSS = `:root { color-scheme: light dark; --page: #f3f3f7; --card: #fff; --text: #0f141a; --quiet: #424650; --line: #8c8c94; --blue: #006ce0; --bad: #db0000; }
@media (prefers-color-scheme: dark) { :root { --page: #0f141a; --card: #161d26; --text: #ebebf0; --quiet: #b4b4bb; --line: #656871; --blue: #42b4ff; --bad: #ff7a7a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/20px "Open Sans", "Helvetica Neue", Roboto, Arial, sans-serif; }
main { max-width: 440px; margin: 12vh auto 0; padding: 28px; background: var(--card); border: 1px solid var(--line); border-radius: 16px; }
h1 { margin: 0 0 4px; font-size: 24px; line-height: 30px; }
p { margin: 0 0 20px; color: var(--quiet); }
label { display: block; font-weight: 700; margin-bottom: 4px; }
input { width: 100%; padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px; background: transparent; color: inherit; font: inherit; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
button { width: 100%; margin-top: 20px; padding: 8px 20px; border: 0; border-radius: 20px; background: #006ce0; color: #fff; font: inherit; font-weight: 700; cursor: pointer; }
.bad { color: var(--bad); font-weight: 700; margin: 8px 0 0; }
code { font-family: Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media (max-width: 480px) { main { margin: 0; min-height: 100vh; border: 0; border-radius: 0; } }
`;

type LoginPage = {
  readonly region: string;
  readonly action: string;
  readonly stylesheet: string;
  /** Sent back with the key: the request as it came. */
  readonly fields: Readonly<Record<string, string>>;
  readonly problem: string | undefined;
};

/** A form and nothing else: no script, and every value escaped. */
export function loginPage({ region, action, stylesheet, fields, problem }: LoginPage): string {
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const says = problem === undefined ? '' : `<p class="bad" id="problem" role="alert">${escapeHtml(problem)}</p>`;
  return page(
    `Sign in to ${region}`,
    stylesheet,
    `<p>An API key of this region signs you in, with its role and its tenant. The development issuer keeps no passwords.</p>
<form method="post" action="${escapeHtml(action)}">
${hidden.join('\n')}
<label for="api_key">API key</label>
<input id="api_key" name="api_key" type="password" required autofocus autocomplete="off" spellcheck="false" maxlength="300" placeholder="slk_…"${problem === undefined ? '' : ' aria-describedby="problem" aria-invalid="true"'}>
${says}
<button type="submit">Sign in</button>
</form>`,
  );
}

/** For what cannot be told to the page that asked, because it is not known to be one. */
export function refusalPage(stylesheet: string, why: string): string {
  return page('This sign-in was refused', stylesheet, `<p>${escapeHtml(why)}</p>`);
}

function page(title: string, stylesheet: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${escapeHtml(stylesheet)}">
</head>
<body><main><h1>${escapeHtml(title)}</h1>
${content}
</main></body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
