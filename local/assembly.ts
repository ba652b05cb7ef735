/**
 * Deploys a synthesized cloud assembly into the simulated account: what is in its templates is what runs. A resource or an intrinsic
 * function that is not simulated is an error that names it, so nothing is left out silently.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatedAccount } from './account.ts';
import { bundleLoader } from './bundle.ts';
import type { AlarmDefinition } from './cloudwatch.ts';
import type { InputTransformer } from './events.ts';
import type { Loader, RegisteredFunction } from './functions.ts';
import type { Role } from './model.ts';
import { stackArn } from './services/cloudformation.ts';
import { isRecord } from './wire/protocols.ts';

type Properties = Readonly<Record<string, unknown>>;

interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  readonly needs: readonly string[];
}

/** A resource after its creation. */
export interface DeployedResource {
  readonly logicalId: string;
  readonly type: string;
  /** What Ref gives. */
  readonly ref: string;
  /** What Fn::GetAtt gives. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Resolved. */
  readonly properties: Properties;
}

export interface Deployed {
  readonly resources: readonly DeployedResource[];
  readonly functions: readonly RegisteredFunction[];
  /** By name. */
  readonly roles: Readonly<Record<string, Role>>;
  /** Stops serving the functions. */
  close(): Promise<void>;
}

type Created = { readonly ref: string; readonly attributes?: Readonly<Record<string, string>> };

/** What a function of the template runs. `key` names its code's asset. */
export type CodeOf = (fn: {
  readonly logicalId: string;
  readonly key: string;
  readonly handler: string;
  /** The environment variables that the template gives it. */
  readonly env: Readonly<Record<string, string>>;
}) => Loader;

/** One stack while it is being deployed. */
interface Deployment {
  readonly account: SimulatedAccount;
  readonly stack: string;
  /** That of the account, but for a stack that names another one. */
  readonly region: string;
  readonly codeOf: CodeOf;
  readonly created: Map<string, DeployedResource>;
}

/** Deploys all stacks of the assembly in `folder`. Functions run their bundles and call the account through the loopback interface. */
export async function deploy(account: SimulatedAccount, folder: string): Promise<Deployed> {
  const { endpoint, close } = await account.listen();
  const assets = assetsOf(folder);
  const codeOf: CodeOf = ({ logicalId, key, handler }) => {
    const asset = assets.get(key.replace(/\.zip$/, ''));
    if (asset === undefined) throw new Error(`${logicalId}: the assembly has no asset ${key}`);
    return bundleLoader(asset, handler, endpoint);
  };
  const resources: DeployedResource[] = [];
  for (const [stack, artifact] of Object.entries(record(readJson(join(folder, 'manifest.json')), 'artifacts'))) {
    if (!isRecord(artifact) || artifact.type !== 'aws:cloudformation:stack') continue;
    const template = readJson(join(folder, string(record(artifact, 'properties'), 'templateFile')));
    const [, region = account.region] = /^aws:\/\/[^/]+\/([a-z]+-[\w-]+-\d)$/.exec(String(artifact.environment)) ?? [];
    resources.push(...deployTemplate(account, stack, template, codeOf, region));
  }
  const functions = resources.flatMap(({ type, ref }) =>
    type === 'AWS::Lambda::Function' ? (account.functions.find(ref) ?? []) : [],
  );
  const roles = resources.flatMap(({ type, attributes }) =>
    type === 'AWS::IAM::Role' ? (account.roles.get(attributes.Arn ?? '') ?? []) : [],
  );
  return { resources, functions, roles: Object.fromEntries(roles.map((role) => [role.name, role])), close };
}

/** Deploys one template, whose functions run what `codeOf` gives. */
export function deployTemplate(
  account: SimulatedAccount,
  stack: string,
  template: unknown,
  codeOf: CodeOf,
  region = account.region,
): readonly DeployedResource[] {
  const deployment = { account, stack, region, codeOf, created: new Map<string, DeployedResource>() };
  const resources = deployStack(deployment, record(template, 'Resources'));
  const outputs = Object.entries(record(template, 'Outputs', {})).map(([name, output]): [string, string] => [
    name,
    String(resolve(deployment, isRecord(output) ? output.Value : undefined)),
  ]);
  account.stacks.set(stack, {
    name: stack,
    arn: stackArn(account, stack),
    createdAt: account.clock.nowMs,
    outputs: Object.fromEntries(outputs),
    metadata: isRecord(template) ? template.Metadata : undefined,
    resources: resources.map(({ logicalId, type, ref }) => ({ logicalId, type, physicalId: ref })),
  });
  return resources;
}

/** Creates what a resource needs before the resource, otherwise in the template's order. */
function deployStack(deployment: Deployment, template: Properties): DeployedResource[] {
  let open = Object.entries(template).map(([logicalId, body]) => resourceOf(logicalId, body, template));
  while (open.length > 0) {
    const ready = open.find(({ needs }) => needs.every((id) => deployment.created.has(id)));
    if (ready === undefined)
      throw new Error(`These resources need each other: ${open.map(({ logicalId }) => logicalId).join(', ')}`);
    const { logicalId, type } = ready;
    const create = CREATORS[type];
    if (create === undefined) throw new Error(`${logicalId}: resources of type ${type} are not simulated`);
    const properties = resolve(deployment, ready.properties);
    if (!isRecord(properties)) throw new Error(`${logicalId} has no properties`);
    const { ref, attributes = {} } = create(deployment, properties, logicalId);
    deployment.created.set(logicalId, { logicalId, type, ref, attributes, properties });
    open = open.filter((resource) => resource !== ready);
  }
  return [...deployment.created.values()];
}

/** Creators by resource type: from resolved properties to the resource in the account, and what Ref and Fn::GetAtt give. */
const CREATORS: Readonly<
  Record<string, (deployment: Deployment, properties: Properties, logicalId: string) => Created>
> = {
  'AWS::IAM::User'({ account }, properties) {
    const { name, arn } = account.createUser(string(properties, 'UserName'), { path: string(properties, 'Path', '/') });
    return { ref: name, attributes: { Arn: arn } };
  },

  'AWS::IAM::Role'({ account, stack }, properties, logicalId) {
    const inline = list(properties, 'Policies').flatMap((policy) => statements(record(policy, 'PolicyDocument')));
    const role = account.createRole(
      string(properties, 'RoleName', `${stack}-${logicalId}`),
      inline,
      list(properties, 'ManagedPolicyArns').map(String),
    );
    return { ref: role.name, attributes: { Arn: role.arn, RoleId: role.id } };
  },

  'AWS::IAM::Policy': attachPolicy,
  'AWS::IAM::ManagedPolicy': attachPolicy,

  'AWS::SecretsManager::Secret'({ account }, properties) {
    const { ReplicaRegions, Tags } = properties;
    const input = {
      Name: string(properties, 'Name'),
      SecretString: properties.SecretString,
      KmsKeyId: properties.KmsKeyId,
      Tags,
    };
    const { ARN } = account.operate('secretsmanager', 'CreateSecret', input);
    const secret = account.findSecret(String(ARN));
    if (secret !== undefined && Array.isArray(ReplicaRegions)) {
      secret.replicaRegions = ReplicaRegions.map((replica) => string(replica, 'Region'));
    }
    return { ref: String(ARN), attributes: { Id: String(ARN) } };
  },

  'AWS::SecretsManager::ResourcePolicy'({ account }, properties) {
    const secret = account.findSecret(string(properties, 'SecretId'));
    if (secret === undefined) throw new Error(`No secret ${properties.SecretId} for a resource policy`);
    secret.resourcePolicy = properties.ResourcePolicy;
    return { ref: secret.arn };
  },

  /** Deploying rotates, unless RotateImmediatelyOnUpdate says otherwise. */
  'AWS::SecretsManager::RotationSchedule'({ account }, properties) {
    const { SecretId, RotationLambdaARN, RotationRules } = properties;
    const RotateImmediately = isTrue(properties.RotateImmediatelyOnUpdate ?? true);
    account.operate('secretsmanager', 'RotateSecret', {
      SecretId,
      RotationLambdaARN,
      RotationRules,
      RotateImmediately,
    });
    return { ref: String(SecretId) };
  },

  'AWS::Lambda::Function'({ account, stack, codeOf }, properties, logicalId) {
    const { Variables = {} } = isRecord(properties.Environment) ? properties.Environment : {};
    const env = Object.fromEntries(
      Object.entries(isRecord(Variables) ? Variables : {}).map(([name, value]) => [name, String(value)]),
    );
    const code = { key: string(record(properties, 'Code'), 'S3Key'), handler: string(properties, 'Handler') };
    const fn = account.functions.register({
      name: string(properties, 'FunctionName', `${stack}-${logicalId}`),
      load: codeOf({ logicalId, ...code, env }),
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memoryMb: Number(properties.MemorySize ?? 128),
      env,
      roleArn: string(properties, 'Role'),
      permissions: [],
      logGroup: string(record(properties, 'LoggingConfig', {}), 'LogGroup', `/aws/lambda/${stack}-${logicalId}`),
      ...deadLetters(record(properties, 'DeadLetterConfig', {}), 'TargetArn'),
    });
    return { ref: fn.name, attributes: { Arn: fn.arn } };
  },

  'AWS::Lambda::Permission'({ account }, properties, logicalId) {
    const { SourceAccount, SourceArn } = properties;
    account.functions.get(string(properties, 'FunctionName')).permissions.push({
      principal: string(properties, 'Principal'),
      ...(SourceAccount === undefined ? {} : { sourceAccount: String(SourceAccount) }),
      ...(SourceArn === undefined ? {} : { sourceArn: String(SourceArn) }),
    });
    return { ref: logicalId };
  },

  'AWS::Lambda::EventInvokeConfig'({ account }, properties, logicalId) {
    const fn = account.functions.get(string(properties, 'FunctionName'));
    fn.retryAttempts = Number(properties.MaximumRetryAttempts ?? 2);
    Object.assign(fn, deadLetters(record(record(properties, 'DestinationConfig', {}), 'OnFailure', {}), 'Destination'));
    return { ref: logicalId };
  },

  'AWS::Scheduler::Schedule'({ account, stack }, properties, logicalId) {
    const target = record(properties, 'Target');
    const name = string(properties, 'Name', `${stack}-${logicalId}`);
    const retry = record(target, 'RetryPolicy', {}).MaximumRetryAttempts;
    const dead = deadLetters(record(target, 'DeadLetterConfig', {}), 'Arn').onFailure;
    if (properties.State === 'DISABLED') return { ref: name };
    account.scheduler.add({
      name,
      expression: string(properties, 'ScheduleExpression'),
      targetArn: string(target, 'Arn'),
      input: string(target, 'Input', '{}'),
      roleArn: string(target, 'RoleArn'),
      ...(retry === undefined ? {} : { retryAttempts: Number(retry) }),
      ...(dead === undefined ? {} : { deadLetterArn: dead }),
    });
    return { ref: name };
  },

  'AWS::Events::Rule'({ account, stack, region }, properties, logicalId) {
    const name = string(properties, 'Name', `${stack}-${logicalId}`);
    const targets = list(properties, 'Targets').map((target) => {
      const [arn, roleArn] = [string(target, 'Arn'), string(target, 'RoleArn', '')];
      return roleArn === '' ? arn : { arn, roleArn };
    });
    const transformers = Object.fromEntries(list(properties, 'Targets').flatMap(transformerOf));
    account.events.rules.push({ name, pattern: record(properties, 'EventPattern'), targets, transformers, region });
    return { ref: name, attributes: { Arn: `arn:aws:events:${region}:${account.id}:rule/${name}` } };
  },

  'AWS::S3::Bucket'({ account, stack }, properties, logicalId) {
    // Names of buckets are in lower case and hold no more than 63 characters.
    const name = string(properties, 'BucketName', `${stack}-${logicalId}`.toLowerCase().slice(0, 63));
    const versioned = record(properties, 'VersioningConfiguration', {}).Status === 'Enabled';
    account.buckets.set(name, { name, versioned, objects: new Map() });
    return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
  },

  'AWS::SNS::Topic'({ account, stack }, properties, logicalId) {
    const name = string(properties, 'TopicName', `${stack}-${logicalId}`);
    const arn = `arn:aws:sns:${account.region}:${account.id}:${name}`;
    const { KmsMasterKeyId } = properties;
    account.topics.create(arn, KmsMasterKeyId === undefined ? undefined : String(KmsMasterKeyId));
    return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
  },

  'AWS::SNS::TopicPolicy'({ account }, properties, logicalId) {
    for (const arn of list(properties, 'Topics')) account.topics.get(String(arn)).policy = properties.PolicyDocument;
    return { ref: logicalId };
  },

  'AWS::SNS::Subscription'({ account }, properties, logicalId) {
    const { subscriptions } = account.topics.get(string(properties, 'TopicArn'));
    subscriptions.push({ protocol: string(properties, 'Protocol'), endpoint: string(properties, 'Endpoint') });
    return { ref: logicalId };
  },

  'AWS::KMS::Key'(deployment, properties, logicalId) {
    const key = named('KeyId', 'kms', 'key/')(deployment, properties, logicalId);
    deployment.account.topics.keyPolicies.set(key.attributes?.Arn ?? '', properties.KeyPolicy);
    return key;
  },

  'AWS::Logs::SubscriptionFilter'({ account }, properties, logicalId) {
    account.logSubscriptions.add({
      name: string(properties, 'FilterName', logicalId),
      logGroup: string(properties, 'LogGroupName'),
      pattern: string(properties, 'FilterPattern'),
      destinationArn: string(properties, 'DestinationArn'),
    });
    return { ref: logicalId };
  },

  /** Over one metric; metric math is not simulated. */
  'AWS::CloudWatch::Alarm'(deployment, properties, logicalId) {
    const alarm = named('AlarmName', 'cloudwatch', 'alarm:')(deployment, properties, logicalId);
    const { Statistic, Threshold, Period, EvaluationPeriods, DatapointsToAlarm } = properties;
    const dimensions = list(properties, 'Dimensions').map((one) => [string(one, 'Name'), string(one, 'Value')]);
    deployment.account.cloudWatch.put({
      name: alarm.ref,
      description: string(properties, 'AlarmDescription', ''),
      namespace: string(properties, 'Namespace'),
      metricName: string(properties, 'MetricName'),
      dimensions: Object.fromEntries(dimensions),
      statistic: statisticNamed(Statistic),
      periodSeconds: Number(Period),
      threshold: Number(Threshold),
      comparison: string(properties, 'ComparisonOperator'),
      evaluationPeriods: Number(EvaluationPeriods),
      datapointsToAlarm: Number(DatapointsToAlarm ?? EvaluationPeriods),
      treatMissingData: string(properties, 'TreatMissingData', 'missing'),
      alarmActions: list(properties, 'AlarmActions').map(String),
      okActions: list(properties, 'OKActions').map(String),
    });
    return alarm;
  },

  'AWS::SQS::Queue'(deployment, properties, logicalId) {
    const { ref, attributes: { Arn = '' } = {} } = named('QueueName', 'sqs', '')(deployment, properties, logicalId);
    deployment.account.cloudWatch.queues.set(ref, Arn);
    return { ref, attributes: { Arn, QueueName: ref } };
  },

  // CloudFormation gives the ARN of the group's streams: with `:*` at its end.
  'AWS::Logs::LogGroup': named('LogGroupName', 'logs', 'log-group:', ':*'),
  'AWS::Scheduler::ScheduleGroup': named('Name', 'scheduler', 'schedule-group/'),
  // Recorded only: nothing in the account depends on them.
  'AWS::SQS::QueuePolicy': named('Id', 'sqs', ''),
  'AWS::S3::BucketPolicy': named('Id', 's3', ''),
  'AWS::CloudWatch::Dashboard': named('DashboardName', 'cloudwatch', 'dashboard/'),
  'AWS::CDK::Metadata': named('Id', 'cdk', ''),
};

/** A resource that is only recorded: by its name, or one made of its logical id. */
function named(property: string, service: string, prefix: string, suffix = '') {
  return ({ account, stack }: Deployment, properties: Properties, logicalId: string): Created => {
    const name = string(properties, property, `${stack}-${logicalId}`);
    const Arn = `arn:aws:${service}:${account.region}:${account.id}:${prefix}${name}${suffix}`;
    return { ref: name, attributes: { Arn } };
  };
}

function statisticNamed(name: unknown): AlarmDefinition['statistic'] {
  const known = (['Sum', 'Maximum', 'Minimum', 'Average', 'SampleCount'] as const).find((other) => other === name);
  if (known === undefined) throw new Error(`The statistic ${String(name)} is not simulated`);
  return known;
}

function transformerOf(target: unknown): [string, InputTransformer][] {
  const transformer = record(target, 'InputTransformer', {});
  if (Object.keys(transformer).length === 0) return [];
  const paths = Object.entries(record(transformer, 'InputPathsMap', {})).map(([name, path]) => [name, String(path)]);
  return [
    [string(target, 'Arn'), { paths: Object.fromEntries(paths), template: string(transformer, 'InputTemplate') }],
  ];
}

function attachPolicy({ account }: Deployment, properties: Properties, logicalId: string): Created {
  for (const name of list(properties, 'Roles')) {
    const role = account.roles.get(`arn:aws:iam::${account.id}:role/${name}`);
    role?.statements.push(...statements(record(properties, 'PolicyDocument')));
  }
  return { ref: `arn:aws:iam::${account.id}:policy/${logicalId}` };
}

function deadLetters(config: Properties, property: string): { onFailure?: string } {
  return config[property] === undefined ? {} : { onFailure: string(config, property) };
}

function statements(document: Properties): unknown[] {
  return [document.Statement].flat();
}

function resourceOf(logicalId: string, body: unknown, template: Properties): Resource {
  const explicit = isRecord(body) ? [body.DependsOn ?? []].flat().map(String) : [];
  const properties = record(body, 'Properties', {});
  const needs = new Set([...explicit, ...references(properties)].filter((id) => Object.hasOwn(template, id)));
  return { logicalId, type: string(body, 'Type'), properties, needs: [...needs] };
}

/** Logical ids that a value refers to. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, operand]) => {
    if (key === 'Ref') return [String(operand)];
    if (key === 'Fn::GetAtt') return [String([operand].flat()[0]).split('.')[0] ?? ''];
    if (key === 'Fn::Sub') return [...String([operand].flat()[0]).matchAll(/\$\{([\w:]+)/g)].map(([, id = '']) => id);
    return references(operand);
  });
}

/** Replaces intrinsic functions by what they stand for. */
function resolve(deployment: Deployment, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(deployment, item)).filter((item) => item !== undefined);
  if (!isRecord(value)) return value;
  const [[intrinsic = '', operand] = []] = Object.entries(value);
  if (intrinsic === 'Ref') return reference(deployment, String(operand));
  if (!intrinsic.startsWith('Fn::')) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolve(deployment, item)]));
  }
  if (intrinsic === 'Fn::GetAtt') {
    const [id = '', attribute = ''] = Array.isArray(operand) ? operand.map(String) : String(operand).split(/\.(.*)/);
    return reference(deployment, id, attribute);
  }
  if (intrinsic === 'Fn::Sub') {
    if (typeof operand !== 'string') throw new Error('Fn::Sub with variables of its own is not simulated');
    return operand.replace(/\$\{([^}.]+)(?:\.([^}]+))?\}/g, (_, id: string, attribute?: string) =>
      reference(deployment, id, attribute),
    );
  }
  const operands = resolve(deployment, operand);
  if (!Array.isArray(operands)) throw new Error(`${intrinsic} is not simulated`);
  const [first, second] = operands;
  if (intrinsic === 'Fn::Join' && Array.isArray(second)) return second.join(String(first));
  if (intrinsic === 'Fn::Split') return String(second).split(String(first));
  if (intrinsic === 'Fn::Select' && Array.isArray(second)) return second[Number(first)];
  throw new Error(`${intrinsic} is not simulated`);
}

function reference({ account, created, stack, region }: Deployment, id: string, attribute?: string): string {
  const pseudo: Record<string, string> = {
    'AWS::AccountId': account.id,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack,
    'AWS::StackId': stackArn(account, stack),
  };
  const resource = created.get(id);
  const value = attribute === undefined ? (pseudo[id] ?? resource?.ref) : resource?.attributes[attribute];
  if (value === undefined)
    throw new Error(`${attribute === undefined ? `Ref ${id}` : `Fn::GetAtt ${id}.${attribute}`} is not simulated`);
  return value;
}

/** Folders of all file assets of the assembly, by hash. */
function assetsOf(folder: string): Map<string, string> {
  const manifest = record(readJson(join(folder, 'manifest.json')), 'artifacts');
  const files = Object.values(manifest).filter(
    (artifact) => isRecord(artifact) && artifact.type === 'cdk:asset-manifest',
  );
  const assets = new Map<string, string>();
  for (const artifact of files) {
    for (const [hash, asset] of Object.entries(
      record(readJson(join(folder, string(record(artifact, 'properties'), 'file'))), 'files', {}),
    )) {
      assets.set(hash, join(folder, string(record(asset, 'source'), 'path')));
    }
  }
  return assets;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function record(value: unknown, name: string, fallback?: Properties): Properties {
  const found = isRecord(value) ? (value[name] ?? fallback) : undefined;
  if (!isRecord(found)) throw new Error(`${name} is missing`);
  return found;
}

function string(value: unknown, name: string, fallback?: string): string {
  const found = isRecord(value) ? (value[name] ?? fallback) : undefined;
  if (typeof found !== 'string') throw new Error(`${name} is missing, or is no text: ${JSON.stringify(found)}`);
  return found;
}

function list(value: Properties, name: string): readonly unknown[] {
  const found = value[name] ?? [];
  if (!Array.isArray(found)) throw new Error(`${name} is not a list`);
  return found;
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
