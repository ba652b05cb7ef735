/**
 * Loads one file and prints how long that took, in ms: `node load.cjs <file>`.
 *
 * Plain JavaScript: stripping types would load a compiler into the very process that is measured.
 */
const [, , file] = process.argv;
const start = performance.now();
require(file);
process.stdout.write(String(performance.now() - start));
