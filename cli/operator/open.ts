import { spawn } from 'node:child_process';

/** The platform's program that opens a file as a double click would. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', '""'],
};

/** Opens a file or URL, without waiting for the program. @returns whether one could be started */
export async function open(path: string): Promise<boolean> {
  const [program = 'xdg-open', ...argv] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...argv, path], { stdio: 'ignore', detached: true });
  const started = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => resolve(true));
  });
  child.unref();
  return started;
}
