/**
 * How many keys one stack holds. Lambda keeps one invoke permission a secret in the function's resource policy of 20 KB, and the roles name
 * every secret and user in managed policies of 6,144 characters. Both count the names, so the limit is in characters, not in keys.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */

const FUNCTION_POLICY_BYTES = 20_480;
const MANAGED_POLICY_CHARACTERS = 6_144;
/** What surrounds the ARNs in a policy of a role: version, sids, actions, conditions. */
const MANAGED_POLICY_FRAME = 700;

// The longest values that the parts can have which are not known before the deployment.
const ACCOUNT = '0'.repeat(12);
const REGION = 'x'.repeat(14);
const SUFFIX = '-AbCdEf';

interface KeyNames {
  readonly user: string;
  readonly userPath: string;
  readonly secretName: string;
}

/** What the keys of a stack take of the tightest of its limits, and how much that limit is. */
export interface Usage {
  readonly what: string;
  readonly used: number;
  readonly limit: number;
}

/** The usage of every limit that the keys exceed. */
export function exceededLimits(stackName: string, keys: readonly KeyNames[]): Usage[] {
  const sum = (length: (key: KeyNames) => number) => keys.reduce((total, key) => total + length(key), 0);
  return [
    {
      what: "bytes of the rotate function's resource policy",
      used: sum((key) => permission(stackName, key).length + 1),
      limit: FUNCTION_POLICY_BYTES,
    },
    {
      what: 'characters of the policy that names the secrets',
      used: MANAGED_POLICY_FRAME + sum((key) => secretArn(key).length + 3),
      limit: MANAGED_POLICY_CHARACTERS,
    },
    {
      what: 'characters of the policy that names the users',
      used: MANAGED_POLICY_FRAME + sum((key) => userArn(key).length + 3),
      limit: MANAGED_POLICY_CHARACTERS,
    },
  ].filter(({ used, limit }) => used > limit);
}

const secretArn = ({ secretName }: KeyNames) =>
  `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${secretName}${SUFFIX}`;
const userArn = ({ user, userPath }: KeyNames) => `arn:aws:iam::${ACCOUNT}:user${userPath}${user}`;

/** One statement of the function's policy as Lambda stores it; CloudFormation makes its Sid of the stack's name, the logical id and 12 letters. */
const permission = (stackName: string, key: KeyNames): string =>
  JSON.stringify({
    Sid: `${stackName}-${'x'.repeat(INVOKE_ID_LENGTH + key.user.replace(/[^A-Za-z0-9]/g, '').length)}-${'x'.repeat(12)}`.slice(
      0,
      100,
    ),
    Effect: 'Allow',
    Principal: { Service: 'secretsmanager.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${'x'.repeat(64)}`,
    Condition: { StringEquals: { 'AWS:SourceAccount': ACCOUNT }, ArnLike: { 'AWS:SourceArn': secretArn(key) } },
  });

/** Length of a permission's logical id without the user's name: `Rotator`, `Invoke` and a hash. */
const INVOKE_ID_LENGTH = 'RotatorInvoke'.length + 8;
