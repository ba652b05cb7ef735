import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type ResolvedConfig, resolveConfig } from './config/index.ts';

const STANDARD_FILE = fileURLToPath(new URL('../rotator.config.ts', import.meta.url));

/** The configuration file is not there or can't be run. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
  readonly code = 'CONFIG_FILE_UNREADABLE';
}

/**
 * Loads and checks a configuration file.
 *
 * @param path TypeScript file with the configuration as its default export, from the working directory; rotator.config.ts of the project if undefined
 * @throws ConfigFileError if it can't be loaded
 * @throws ConfigError with all problems in it
 */
export async function loadConfig(path: unknown): Promise<ResolvedConfig> {
  const file = typeof path === 'string' && path !== '' ? resolve(path) : STANDARD_FILE;
  const shown = relative(process.cwd(), file);
  if (!existsSync(file)) throw new ConfigFileError(`There is no configuration file ${shown}.`);
  return resolveConfig(await importDefault(file, shown));
}

async function importDefault(file: string, shown: string): Promise<unknown> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    return module.default;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`The configuration file ${shown} can't be loaded: ${reason}`, { cause: error });
  }
}
