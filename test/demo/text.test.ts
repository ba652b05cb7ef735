import { describe, expect, it } from 'vitest';
import { colourful, cut, moment, pageFor, plain, shortId, wrap } from '../../local/demo/text.ts';

describe('the page', () => {
  it.each([
    ['a terminal', { isTTY: true }, {}, colourful],
    ['a pipe', {}, {}, plain],
    ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, plain],
    ['a terminal with an empty NO_COLOR, which counts for none', { isTTY: true }, { NO_COLOR: '' }, colourful],
    ['a pipe with FORCE_COLOR', {}, { FORCE_COLOR: '1' }, colourful],
    ['a pipe with an empty FORCE_COLOR', {}, { FORCE_COLOR: '' }, colourful],
    ['a terminal with FORCE_COLOR=0', { isTTY: true }, { FORCE_COLOR: '0' }, plain],
    ['both variables: NO_COLOR wins', { isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' }, plain],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, plain],
  ])('has the colours that fit: %s', (_, stream, env, paint) => {
    expect(pageFor(stream, env).paint).toBe(paint);
  });

  it('is as wide as the terminal, up to 120 columns, and 80 wide without one', () => {
    expect(pageFor({ columns: 61 }, {}).width).toBe(61);
    expect(pageFor({ columns: 300 }, {}).width).toBe(120);
    expect(pageFor({}, {}).width).toBe(80);
    expect(pageFor({ columns: 0 }, {}).width).toBe(80);
  });
});

describe('text', () => {
  it('is broken at spaces, with later lines indented, and loses nothing', () => {
    expect(wrap('one two three four', 9, 2)).toEqual(['one two', '  three', '  four']);
    expect(wrap('a-word-longer-than-the-line b', 10)).toEqual(['a-word-longer-than-the-line', 'b']);
    expect(wrap('', 10)).toEqual(['']);
  });

  it('is cut where it does not fit', () => {
    expect(cut('12345', 5)).toBe('12345');
    expect(cut('123456', 5)).toBe('1234…');
  });

  it('names keys by their last four characters, and moments in UTC', () => {
    expect(shortId('AKIAIOSFODNN7EXAMPLE')).toBe('AKIA…MPLE');
    expect(shortId('AKIAIOSFODNN7EXAMPLE', 5)).toBe('…MPLE');
    expect(moment(Date.UTC(2026, 1, 5, 3, 4))).toBe(' 5 Feb 03:04');
  });
});
