/** The frame of the page: head, landmarks, and a policy that lets nothing in but what stands here. */
import { createHash } from 'node:crypto';
import { type Html, html, trusted } from './escape.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M5 3a4 4 0 1 0 3.9 5H11v2h2V8h2V6H8.9A4 4 0 0 0 5 3Zm0 2.500a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3Z' fill='%230b6075'/%3E%3C/svg%3E";

/**
 * What a browser may load: nothing, but for the one style, the one script and the icon that the page carries.
 *
 * @see https://www.w3.org/TR/CSP3/#match-element-to-source-list for hashes of inline content
 */
const POLICY = [
  "default-src 'none'",
  `style-src '${hash(STYLE)}'`,
  `script-src '${hash(SCRIPT)}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** @param header what stands above the sections */
export function page(title: string, header: Html, sections: readonly Section[], footer: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
<header>${header}</header>
<nav aria-label="Parts of the report"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ({ id, title: name, body }) => html`<section id="${id}" aria-labelledby="${id}-title" tabindex="-1">
<h2 id="${id}-title">${name}</h2>
${body}
</section>
`,
)}</main>
<footer>${footer}</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.text;
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
