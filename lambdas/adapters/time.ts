/** The edge where time comes in. The globals are looked up at each call: nothing else in the Lambdas asks for the time or waits. */

export const now = (): Date => new Date();

/** Waits for a number of milliseconds. */
export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** When Lambda stops the function. */
export function deadlineOf(context: { getRemainingTimeInMillis(): number }): Date {
  return new Date(now().getTime() + context.getRemainingTimeInMillis());
}
