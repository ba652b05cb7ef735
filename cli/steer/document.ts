/** What the JSON documents of the commands that steer begin with. */
import type { Stack } from '../operator/stack.ts';

export const documentHead = (command: string, { name, region, account }: Stack, at: Date) => ({
  formatVersion: 1,
  command,
  at,
  stack: { name, region, account },
});
