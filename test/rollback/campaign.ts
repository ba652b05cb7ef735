/** All cases of rollbacks: `npm run faults -- --rollback`. */
import { caseText, everyFault, everyIntruder, everyPairOfPasses, type RollbackCase, runCase } from './cases.ts';
import { SCENES } from './scenes.ts';

const KINDS: Readonly<Record<string, (scene: string, calls: number) => Iterable<RollbackCase>>> = {
  'single faults': everyFault,
  'passes in between': (scene, calls) => everyIntruder(scene, calls, 'pass'),
  'rotations in between': (scene, calls) => everyIntruder(scene, calls, 'rotation'),
  'two passes in between': everyPairOfPasses,
};

/** Of what takes hours otherwise, every so manieth. */
const EVERY: Readonly<Record<string, number>> = { 'rotations in between': 5, 'two passes in between': 3 };

/** @returns how many cases went wrong */
export async function judgeRollbacks(print: (line: string) => void): Promise<number> {
  let wrongs = 0;
  for (const [kind, casesOf] of Object.entries(KINDS)) {
    for (const scene of Object.keys(SCENES)) {
      const began = performance.now();
      const { calls } = await runCase({ scene });
      let index = 0;
      let judged = 0;
      let wrong = 0;
      for (const one of casesOf(scene, calls.length)) {
        index += 1;
        if (index % (EVERY[kind] ?? 1) !== 0) continue;
        judged += 1;
        const result = await runCase(one);
        if (result.wrong.length === 0) continue;
        wrong += 1;
        if (wrong <= 5) print(`  ${caseText(one)}\n${result.wrong.map((line) => `    ${line}`).join('\n')}`);
      }
      wrongs += wrong;
      const seconds = Math.round((performance.now() - began) / 1000);
      print(`rollback, ${scene}: ${judged} ${kind}, ${wrong} wrong (${seconds} s)`);
    }
  }
  return wrongs;
}
