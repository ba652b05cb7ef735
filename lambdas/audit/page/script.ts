/**
 * What the page does in the browser: sorting, filtering and the theme. Text, not a function: a bundler would rewrite a function, and the
 * page's policy names the hash of exactly these characters. `test/page/script.test.ts` has the compiler and the linter read it.
 */
export const SCRIPT = `'use strict';
(() => {
  /** @template {HTMLElement} T @param {string} id @param {new () => T} type */
  const find = (id, type) => {
    const element = document.getElementById(id);
    if (element instanceof type) return element;
    throw new Error('The page has no ' + id);
  };

  const theme = find('theme', HTMLButtonElement);
  /** @param {boolean} dark */
  const press = (dark) => theme.setAttribute('aria-pressed', String(dark));
  const preferred = matchMedia('(prefers-color-scheme: dark)');
  press(preferred.matches);
  preferred.addEventListener('change', () => {
    if (!document.documentElement.dataset.theme) press(preferred.matches);
  });
  theme.addEventListener('click', () => {
    const dark = theme.getAttribute('aria-pressed') !== 'true';
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    press(dark);
  });
  theme.hidden = false;

  if (!document.getElementById('table')) return;
  const table = find('table', HTMLTableElement);
  const body = table.tBodies[0];
  const shown = find('shown', HTMLElement);
  const text = find('text', HTMLInputElement);
  const severity = find('severity', HTMLSelectElement);
  const check = find('check', HTMLSelectElement);
  const managed = find('managed', HTMLSelectElement);
  const brief = find('brief', HTMLInputElement);
  const ranks = [...severity.options].map(({ value }) => value);
  const names = new Map();
  for (const row of document.querySelectorAll('tr[data-check]'))
    names.set(row.getAttribute('data-check'), row.lastElementChild?.textContent ?? '');

  const rows = [...body.rows].map((row, place) => {
    const cells = [...row.cells].map((cell) => cell.textContent);
    cells[1] = row.cells[1].firstChild?.textContent ?? '';
    const words = (row.textContent + ' ' + names.get(cells[3])).toLowerCase();
    // Compared as text, user-9 comes before user-10.
    const keys = [ranks.indexOf(cells[0]), ...cells.slice(1).map((cell) => cell.toLowerCase().replace(/\\d+/g, (digits) => digits.padStart(9, '0')))];
    return { row, place, severity: cells[0], check: cells[3], managed: row.dataset.m, words, keys };
  });

  const filter = () => {
    const wanted = text.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows) {
      const show =
        (!severity.value || one.severity === severity.value) &&
        (!check.value || one.check === check.value) &&
        (!managed.value || one.managed === managed.value) &&
        wanted.every((word) => one.words.includes(word));
      if (show) count += 1;
      if (one.row.hidden === show) one.row.hidden = !show;
    }
    const all = rows.length.toLocaleString('en-US') + (rows.length === 1 ? ' finding' : ' findings');
    shown.textContent = count === rows.length ? all : count.toLocaleString('en-US') + ' of ' + all;
  };

  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      filter();
    });
  };
  for (const control of [text, severity, check, managed]) control.addEventListener('input', soon);
  brief.addEventListener('input', () => table.classList.toggle('brief', brief.checked));
  find('clear', HTMLButtonElement).addEventListener('click', () => {
    for (const control of [text, severity, check, managed]) control.value = '';
    filter();
    text.focus();
  });

  // The numbers above the table lead to what they count.
  for (const link of document.querySelectorAll('a[data-severity], a[data-check]')) {
    link.addEventListener('click', () => {
      text.value = '';
      managed.value = '';
      severity.value = link.getAttribute('data-severity') ?? '';
      check.value = link.getAttribute('data-check') ?? '';
      filter();
    });
  }

  const headings = [...table.tHead?.rows[0].cells ?? []];
  headings.forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => {
      const up = heading.getAttribute('aria-sort') !== 'ascending';
      for (const other of headings) other.removeAttribute('aria-sort');
      heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      rows.sort((a, b) => {
        const [one, other] = [a.keys[column], b.keys[column]];
        if (one === other) return a.place - b.place;
        return one < other === up ? -1 : 1;
      });
      // Emptied at once first: moved one by one, thousands of rows take seconds.
      body.textContent = '';
      body.append(...rows.map(({ row }) => row));
    });
  });
  find('controls', HTMLElement).hidden = false;
})();
`;
