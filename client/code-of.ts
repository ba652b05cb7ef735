/** Node's code of a system error, such as ENOENT; the error's name for any other. In no case its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
