/** What load times are held against: the three SDK clients that the functions use, and nothing else. Bare: with all that comes with them. */
export { IAMClient } from '@aws-sdk/client-iam';
export { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
export { STSClient } from '@aws-sdk/client-sts';
