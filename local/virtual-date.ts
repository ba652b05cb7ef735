/** `Date` on a clock of one's own: the part of virtual time that code sees. */

/**
 * The real class, but for "now": without arguments it is what `now` says.
 *
 * @param now ms since 1970
 */
export function virtualDate(now: () => number): DateConstructor {
  return new Proxy(Date, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: (target) => new target(now()).toString(),
    get: (target, property) => (property === 'now' ? now : Reflect.get(target, property)),
  });
}
