/** What docs/events.md shows, by the JSON Schemas that stand beside it: another library's word for what ours lets through. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { checkEvent, EVENT_TYPES } from '../../lambdas/contract/events.ts';
import { HAPPENING_EVENTS, LINES, TOLD_LINES } from '../../lambdas/contract/lines.ts';
import { eventSchemas, SAMPLES, sampleOf } from '../../scripts/events-page.ts';

const ajv = new Ajv2020({ strict: false, formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) } });
ajv.addSchema(eventSchemas(), 'events');
const validate = (type: string, detail: unknown) =>
  ajv.validate(`events#/$defs/${type.replaceAll(' ', '%20')}`, detail);

describe.each(EVENT_TYPES)('the event %s', (type) => {
  it('of the page is valid by its JSON Schema', () => {
    expect(validate(type, sampleOf(type).detail)).toBe(true);
  });

  it('is refused by both with a field that it does not have, or without one that it needs', () => {
    const { detail, at } = sampleOf(type);
    const { message: _, ...less } = detail;
    for (const wrong of [{ ...detail, SecretAccessKey: 'x' }, less, { ...detail, message: 7 }]) {
      expect(validate(type, wrong)).toBe(false);
      expect(checkEvent(type, wrong, at).ok).toBe(false);
    }
  });
});

describe('the lines', () => {
  it('that become events are those of the samples', () => {
    const messages = Object.values(SAMPLES).map(({ line }) => String(Reflect.get(line, 'message')));
    expect([...messages].sort()).toEqual([...TOLD_LINES].sort());
    expect(TOLD_LINES).toHaveLength(Object.keys(HAPPENING_EVENTS).length + Object.keys(LINES).length);
  });
});
