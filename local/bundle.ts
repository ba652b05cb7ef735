/**
 * Runs the bundle of a function as it is deployed: its module code gets a world in which time is virtual, the environment is the function's
 * own, and output is captured. Nothing in the bundle knows.
 */
import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { compileFunction } from 'node:vm';
import type { VirtualTimer } from './clock.ts';
import type { Handler, Loader, Sandbox } from './functions.ts';

const COMMON_JS = ['exports', 'require', 'module', '__filename', '__dirname'];
const SHADOWED = [
  ...['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'process', 'console', 'performance'],
  ...['globalThis', 'global'],
] as const;
const DYNAMIC_IMPORT = 'IMPORT';
const compiled = new Map<string, (...world: unknown[]) => void>();

/** Loads the CommonJS bundle of an asset; `endpoint` is where its SDK clients find the account. */
export function bundleLoader(folder: string, handlerName: string, endpoint: string): Loader {
  const [file = 'index', name = 'handler'] = handlerName.split('.');
  const path = join(folder, `${file}.js`);
  return (sandbox) => {
    let run = compiled.get(path);
    if (run === undefined) {
      // The SDK imports some of Node's modules dynamically: they have to come out of this world too. Same length: source maps stay right.
      const source = readFileSync(path, 'utf8').replace(
        /\bimport\((?=["'](?:node:)?[\w/]+["']\))/g,
        `${DYNAMIC_IMPORT}(`,
      );
      const code = compileFunction(source, [...COMMON_JS, DYNAMIC_IMPORT, ...SHADOWED], { filename: path });
      run = (...world) => void Reflect.apply(code, undefined, world);
      compiled.set(path, run);
    }
    const world = worldOf(sandbox, folder, endpoint);
    const module: { exports: Record<string, unknown> } = { exports: {} };
    const require = requireOf(sandbox, path, world);
    const dynamicImport = async (id: string) => ({ ...Object(require(id)), default: require(id) });
    const commonJs = [module.exports, require, module, path, folder];
    run(...commonJs, dynamicImport, ...SHADOWED.map((global) => world[global]));
    const handler = module.exports[name];
    if (!isHandler(handler)) throw new Error(`${path} has no handler ${name}`);
    return handler;
  };
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

/** The globals that differ from the process's own. */
function worldOf(sandbox: Sandbox, folder: string, endpoint: string): Record<string, unknown> {
  const { clock } = sandbox.account;
  const stdout = lines(sandbox);
  const own = {
    stdout,
    stderr: stdout,
    env: environment(sandbox, folder, endpoint),
    exit: () => sandbox.crash(),
    emitWarning: () => {},
  };
  const listeners = Object.fromEntries(
    ['on', 'once', 'off', 'addListener', 'removeListener'].map((name) => [name, () => own]),
  );
  const world: Record<string, unknown> = {
    Date: clock.Date,
    ...timersOf(sandbox),
    process: overlay(process, { ...own, ...listeners }),
    console: new Console({ stdout, stderr: stdout }),
    performance: overlay(performance, { now: () => clock.nowMs }),
  };
  world.globalThis = overlay(globalThis, world);
  world.global = world.globalThis;
  return world;
}

/** What Lambda sets, and what the template says; the developer's own configuration files are out of sight. */
function environment(sandbox: Sandbox, folder: string, endpoint: string): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = sandbox.credentials;
  return {
    ...sandbox.env,
    AWS_DEFAULT_REGION: sandbox.account.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    LAMBDA_TASK_ROOT: folder,
    AWS_ENDPOINT_URL: endpoint,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    TZ: ':UTC',
  };
}

function timersOf(sandbox: Sandbox): Record<string, unknown> {
  const set =
    (repeat: boolean) =>
    (callback: (...args: unknown[]) => unknown, ms = 0, ...args: unknown[]) => {
      let timer: VirtualTimer;
      const arm = () => {
        timer = sandbox.setTimeout(fire, ms);
      };
      const fire = () => {
        if (repeat) arm();
        return callback(...args);
      };
      arm();
      const handle = {
        clear: () => sandbox.clearTimeout(timer),
        ref: () => handle,
        unref: () => handle,
        hasRef: () => true,
      };
      return handle;
    };
  const clear = (handle: { clear?: () => void } | undefined | null) => handle?.clear?.();
  return { setTimeout: set(false), clearTimeout: clear, setInterval: set(true), clearInterval: clear };
}

/** Node's modules, except that time, environment and requests are the sandbox's. */
function requireOf(sandbox: Sandbox, path: string, world: Record<string, unknown>) {
  const real = createRequire(path);
  const replaced: Record<string, unknown> = {
    http: { ...http, request: tracked(sandbox) },
    process: world.process,
    console: { ...console, Console },
    timers: { ...real('node:timers'), ...timersOf(sandbox) },
    'timers/promises': { setTimeout: (ms: number, value: unknown) => sandbox.clock.sleep(ms).then(() => value) },
  };
  return (id: string): unknown => replaced[id.replace(/^node:/, '')] ?? real(id);
}

/** `http.request`, during which time stands still, and which leads nowhere once the sandbox is dead. */
function tracked(sandbox: Sandbox) {
  return (...args: [http.RequestOptions, ((response: http.IncomingMessage) => void)?]): http.ClientRequest => {
    const request = http.request(...args);
    sandbox.requesting(1);
    request.once('close', () => sandbox.requesting(-1));
    return request;
  };
}

/** Hands on what is written line by line. */
function lines(sandbox: Sandbox): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      for (const line of String(chunk).split('\n')) if (line !== '') sandbox.log(line);
      done();
    },
  });
}

/** An object with some properties of its own; the others, and their `this`, are the original's. */
function overlay<T extends object>(original: T, own: Record<string, unknown>): T {
  return new Proxy(original, {
    get(target, property) {
      if (typeof property === 'string' && Object.hasOwn(own, property)) return own[property];
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' && target !== globalThis ? value.bind(target) : value;
    },
    set(_, property, value) {
      if (typeof property === 'string') own[property] = value;
      return true;
    },
  });
}
