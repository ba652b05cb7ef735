/**
 * Loads one file after another and prints how long each took, in ms: `node load-after.cjs <file or package> <file>`.
 *
 * Plain JavaScript: stripping types would load a compiler into the very process that is measured.
 */
const times = process.argv.slice(2).map((file) => {
  const start = performance.now();
  require(file);
  return performance.now() - start;
});
process.stdout.write(JSON.stringify(times));
