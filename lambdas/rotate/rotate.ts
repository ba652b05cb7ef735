/** The rotation function without its edge: one checked event, one step. */
import type { Deployment } from '../contract/deployment.ts';
import { createSecret } from './create-secret.ts';
import { finishSecret } from './finish-secret.ts';
import { parseRotation, type Rotation, type RotationWorld, type Step } from './rotation.ts';
import { setSecret } from './set-secret.ts';
import { testSecret } from './test-secret.ts';

const STEP_FUNCTIONS: Readonly<Record<Step, (rotation: Rotation, world: RotationWorld) => Promise<void>>> = {
  createSecret,
  setSecret,
  testSecret,
  finishSecret,
};

/**
 * Runs one step of a rotation. Every step can be repeated at any time, with the same token or a new one.
 *
 * @param event as Secrets Manager sends it
 * @throws RotatorError any of its codes but PASS_FAILED
 */
export async function rotate(event: unknown, deployment: Deployment, world: RotationWorld): Promise<void> {
  const rotation = parseRotation(event, deployment);
  await STEP_FUNCTIONS[rotation.step](rotation, world);
}
