/** What `rotator.config.ts` imports, and what reads it. */
import type { RotatorConfig } from './types.ts';

export { ConfigError, describeWarning, type Problem, type Warning } from './problems.ts';
export { type ResolvedConfig, type ResolvedKey, type ResolvedTarget, resolveConfig } from './resolve.ts';
export type * from './types.ts';

/** Gives the configuration its type in the editor. It is checked when the app is synthesized. */
export const defineConfig = (config: RotatorConfig): RotatorConfig => config;
