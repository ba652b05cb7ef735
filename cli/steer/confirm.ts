import type { Options } from '../operator/command.ts';
import type { OperatorContext } from '../operator/context.ts';
import { OperatorError } from '../operator/errors.ts';

/**
 * Asks whether to go on, unless `--yes` says so. What is to be confirmed was shown before.
 *
 * @throws OperatorError NOT_CONFIRMED
 */
export async function confirmed(context: OperatorContext, options: Options, question: string): Promise<void> {
  if (options.yes === true || (await context.confirm(question))) return;
  throw new OperatorError('NOT_CONFIRMED', {
    found: 'no yes; nothing was changed',
    expected: 'the answer y on a terminal, or --yes',
    remedy: 'run it again with --yes if that is what you want',
  });
}
