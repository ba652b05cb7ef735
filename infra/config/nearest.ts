/** Words of the documentation that people write for a field. */
const SYNONYMS: Readonly<Record<string, string>> = {
  overlap: 'deactivateAfter',
  recovery: 'deleteAfter',
  hold: 'holdAtMost',
  period: 'schedule',
  rotateEvery: 'schedule',
  every: 'schedule',
  name: 'user',
  path: 'userPath',
  secret: 'secretName',
  regions: 'verifyRegions',
};

/** The known name that `name` was most likely meant to be; undefined if none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const synonym = SYNONYMS[name];
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  const [best] = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const kept = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(kept, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
