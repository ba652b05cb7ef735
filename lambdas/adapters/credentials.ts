/**
 * Credentials of a function: the environment's, and nothing else. `infra/bundle.ts` puts this in the place of the SDK's default chain, whose
 * other sources (SSO, profiles, web identity, containers, EC2) are a quarter of a bundle and never asked: Lambda always sets these
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime).
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
