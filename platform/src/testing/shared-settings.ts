import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  ConfigError,
  type Environment,
  type LogConfig,
  type MetricsAddress,
  type ObjectStoreConfig,
  type RecoveryConfig,
  type RedisConfig,
  type TracingConfig
} from '../config/index.ts'

interface EveryProcess extends RedisConfig, LogConfig {
  readonly objectStore: ObjectStoreConfig
  readonly tracing: TracingConfig | undefined
}

interface BehindTheApi extends RecoveryConfig {
  readonly metrics: MetricsAddress | undefined
}

/** An environment, and what a process makes of it: settings, or the sentence that refuses it. */
type Row = readonly [env: Environment, read: Record<string, unknown> | RegExp]

const disk = (directory: string, others: object = {}) => ({
  objectStore: { kind: 'disk', directory: resolve(directory), linkSecret: undefined, linkTtlSeconds: 3600, ...others }
})
const s3 = (others: object = {}) => ({
  objectStore: {
    kind: 's3',
    bucket: 'pictures',
    endpoint: undefined,
    publicEndpoint: undefined,
    region: 'us-east-1',
    forcePathStyle: false,
    keyPrefix: '',
    linkTtlSeconds: 3600,
    ...others
  }
})
const tracing = (others: object = {}) => ({ tracing: { url: 'http://collector:4318/v1/traces', share: 1, ...others } })
const S3_BUCKET = 'pictures'
const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318'

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:redis-AbCdEf'
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----'

const folder = mkdtempSync(join(tmpdir(), 'nextscale-settings-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

/** Path of a file with that content. */
const fileOf = (content: string): string => {
  const path = join(folder, createHash('sha256').update(content).digest('hex'))
  writeFileSync(path, content)
  return path
}

const EVERY_PROCESS: readonly Row[] = [
  [{}, { redisUrl: 'redis://127.0.0.1:6379', redisPrefix: 'nextscale', ...disk('.nextscale/objects'), tracing: undefined }],
  [{}, { logLevel: 'info', logFormat: 'json' }],
  [
    { REDIS_URL: '', REDIS_PREFIX: ' ' },
    { redisUrl: 'redis://127.0.0.1:6379', redisPrefix: 'nextscale' }
  ],
  [{ REDIS_URL: ' rediss://host:6380/ ' }, { redisUrl: 'rediss://host:6380' }],
  [{ REDIS_URL: 'redis://:p%40ss@host:6380/3?family=6' }, { redisUrl: 'redis://:p%40ss@host:6380/3?family=6' }],
  [{ REDIS_URL: 'host:6379' }, /^REDIS_URL must look like redis:\/\/host:6379, /],
  [{ REDIS_URL: 'redis://user:a/b@host' }, /^REDIS_URL has a "\/", .* percent-encode it/],
  [{ REDIS_URL: 'redis://user:hunter2%ZZ@host' }, /^REDIS_URL has a "%" that is not percent-encoding: write it as "%25"\.$/],
  [
    { REDIS_URL: 'redis://a', REDIS_URL_FILE: '/run/url' },
    /^REDIS_URL and REDIS_URL_FILE are both set, and only one can be meant: unset the other\.$/
  ],
  [
    { REDIS_URL_FILE: '/nowhere/url' },
    /^REDIS_URL_FILE=\/nowhere\/url cannot be read \(ENOENT\): set REDIS_URL_FILE to a file that holds the value of REDIS_URL\.$/
  ],
  [{ REDIS_URL_FILE: '/dev/null' }, /^REDIS_URL_FILE=\/dev\/null is no regular file: set REDIS_URL_FILE to/],
  [{ LINK_SECRET: 'a', LINK_SECRET_FILE: '/a' }, /^LINK_SECRET and LINK_SECRET_FILE are both set/],
  [{ LINK_SECRET_FILE: '/nowhere' }, /^LINK_SECRET_FILE=\/nowhere cannot be read \(ENOENT\)/],
  [{ REDIS_URL_FILE: fileOf('\n'), REDIS_URL: '' }, /^REDIS_URL_FILE=.* is empty: set REDIS_URL_FILE to a file/],
  [{ REDIS_URL_FILE: fileOf(' redis://:hunter2@host/\n') }, { redisUrl: 'redis://:hunter2@host' }],
  [
    { REDIS_URL_FILE: fileOf('redis://user:hunter2%ZZ@host') },
    /^The content of REDIS_URL_FILE has a "%" that is not percent-encoding/
  ],
  [{ LINK_SECRET_FILE: fileOf(`${'x'.repeat(32)}\n`) }, disk('.nextscale/objects', { linkSecret: 'x'.repeat(32) })],
  [{ LINK_SECRET_FILE: fileOf('hunter2') }, /^LINK_SECRET must have at least 32 characters, not 7/],
  [
    { REDIS_URL: 'rediss://a', REDIS_CA_FILE: fileOf('hunter2') },
    /^REDIS_CA_FILE has no certificate: set it to the file of the authority/
  ],
  [
    { REDIS_URL: 'redis://a', REDIS_CA_FILE: fileOf(CERTIFICATE) },
    /^REDIS_CA_FILE is for connections with TLS: let REDIS_URL begin/
  ],
  [
    { REDIS_URL: 'rediss://a', REDIS_CA_FILE: fileOf(CERTIFICATE) },
    { redisUrl: 'rediss://a', redisCa: CERTIFICATE }
  ],
  [{ REDIS_CA_FILE: '/nowhere' }, /^REDIS_CA_FILE=\/nowhere cannot be read \(ENOENT\): set it to the file of the authority/],
  [{ REDIS_SECRET_ARN: ARN }, { redisSecretArn: ARN }],
  [{ REDIS_SECRET_ARN: 'redis' }, /^REDIS_SECRET_ARN must be the ARN of a secret, arn:aws:secretsmanager:REGION/],
  [
    { REDIS_SECRET_ARN: ARN, REDIS_URL: 'redis://:hunter2@a' },
    /^REDIS_SECRET_ARN is set, and REDIS_URL has a password: unset one/
  ],
  [
    { REDIS_IAM: 'runner@pictures', REDIS_URL: 'rediss://a:6379', AWS_REGION: 'eu-west-1' },
    { redisIam: { user: 'runner', cluster: 'pictures', region: 'eu-west-1' } }
  ],
  [{ REDIS_IAM: 'runner' }, /^REDIS_IAM must be USER@CLUSTER/],
  [
    { REDIS_IAM: 'runner@pictures', REDIS_URL: 'redis://a' },
    /^REDIS_IAM needs REDIS_URL to be rediss:\/\/HOST:PORT without a user/
  ],
  [{ REDIS_IAM: 'runner@pictures', REDIS_URL: 'rediss://:hunter2@a' }, /^REDIS_IAM needs REDIS_URL to be/],
  [{ REDIS_IAM: 'runner@pictures', REDIS_URL: 'rediss://a' }, /^REDIS_IAM needs AWS_REGION: set it to the region/],
  [{ REDIS_PREFIX: 'a-1 ' }, { redisPrefix: 'a-1' }],
  [{ REDIS_PREFIX: 'a:b' }, /^REDIS_PREFIX must be 1 to 64 lower-case letters, digits and "-", not "a:b"\.$/],
  [{ REDIS_PREFIX: 'a'.repeat(65) }, /^REDIS_PREFIX must be 1 to 64 /],
  [{ OBJECT_DIR: 'here/ ' }, disk('here')],
  [{ OBJECT_DIR: '/there\n' }, disk('/there')],
  [
    { LINK_TTL_SECONDS: '60', LINK_SECRET: 'x'.repeat(32) },
    disk('.nextscale/objects', { linkTtlSeconds: 60, linkSecret: 'x'.repeat(32) })
  ],
  [{ LINK_TTL_SECONDS: '1e3' }, /^LINK_TTL_SECONDS must be an integer from 1 to 604800, not "1e3"\.$/],
  [{ LINK_SECRET: 'short' }, /^LINK_SECRET must have at least 32 characters, not 5/],
  [{ S3_BUCKET: ' ' }, disk('.nextscale/objects')],
  [{ S3_BUCKET: 'pictures ' }, s3()],
  [{ S3_BUCKET, S3_ENDPOINT: 'http://minio:9000/' }, s3({ endpoint: 'http://minio:9000', forcePathStyle: true })],
  [{ S3_BUCKET, S3_ENDPOINT: 'http://minio:9000', S3_FORCE_PATH_STYLE: 'false' }, s3({ endpoint: 'http://minio:9000' })],
  [{ S3_BUCKET, S3_REGION: ' eu-north-1', S3_PREFIX: 'a/b' }, s3({ region: 'eu-north-1', keyPrefix: 'a/b/' })],
  [{ S3_BUCKET, AWS_REGION: 'eu-west-1 ' }, s3({ region: 'eu-west-1' })],
  [{ S3_BUCKET, AWS_REGION: 'eu-west-1', S3_REGION: 'eu-north-1' }, s3({ region: 'eu-north-1' })],
  [{ S3_BUCKET, AWS_REGION: ' ', S3_REGION: '' }, s3()],
  [{ S3_BUCKET, S3_PREFIX: 'a/' }, s3({ keyPrefix: 'a/' })],
  [{ S3_BUCKET, S3_PREFIX: '/a' }, /^S3_PREFIX must be a key prefix .* that does not start with "\/"/],
  [{ S3_BUCKET, S3_ENDPOINT: 'minio:9000' }, /^S3_ENDPOINT must be an absolute URL that starts with http:\/\/ or https:\/\/\.$/],
  [{ S3_BUCKET, S3_ENDPOINT: 'http://user:hunter2@minio' }, /^S3_ENDPOINT has a user name or password/],
  [{ S3_BUCKET, S3_FORCE_PATH_STYLE: 'yes' }, /^S3_FORCE_PATH_STYLE must be one of true, false, not "yes"\.$/],
  [{ OTEL_SERVICE_NAME: 'a', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, { tracing: undefined }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/', OTEL_SERVICE_NAME: ' a ' }, tracing({ serviceName: 'a' })],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME: 'a', OTEL_TRACES_SAMPLER_ARG: '.5' },
    tracing({ serviceName: 'a', share: 0.5 })
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute URL/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector?a' }, /^OTEL_EXPORTER_OTLP_ENDPOINT has a query/],
  [{ OTEL_TRACES_SAMPLER_ARG: '5e-1' }, /^OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "5e-1"\.$/],
  [{ OTEL_TRACES_SAMPLER_ARG: '2' }, /^OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "2"\.$/],
  [
    { LOG_LEVEL: 'debug ', LOG_FORMAT: 'pretty' },
    { logLevel: 'debug', logFormat: 'pretty' }
  ],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"\.$/],
  [{ LOG_FORMAT: 'xml' }, /^LOG_FORMAT must be one of json, pretty, not "xml"\.$/]
]

const BEHIND_THE_API: readonly Row[] = [
  [{}, { lockDurationMs: 30_000, stalledIntervalMs: 15_000, metrics: undefined }],
  [
    { LOCK_DURATION_MS: ' 2000', STALLED_INTERVAL_MS: '1000' },
    { lockDurationMs: 2000, stalledIntervalMs: 1000 }
  ],
  [{ LOCK_DURATION_MS: '999' }, /^LOCK_DURATION_MS must be an integer from 1000 to 600000, not "999"\.$/],
  [{ STALLED_INTERVAL_MS: '1e3' }, /^STALLED_INTERVAL_MS must be an integer from 500 to 600000, not "1e3"\.$/],
  [{ METRICS_PORT: ' ', METRICS_HOST: '0.0.0.0' }, { metrics: undefined }],
  [{ METRICS_PORT: '9100' }, { metrics: { host: '127.0.0.1', port: 9100 } }],
  [{ METRICS_PORT: '9100 ', METRICS_HOST: '0.0.0.0' }, { metrics: { host: '0.0.0.0', port: 9100 } }],
  [{ METRICS_PORT: '0' }, /^METRICS_PORT must be an integer from 1 to 65535, not "0"\.$/]
]

const assertRows = (rows: readonly Row[], readConfig: (env: Environment) => object): void => {
  for (const [env, read] of rows) {
    const told = JSON.stringify(env)
    if (read instanceof RegExp) {
      const isRefusal = (error: unknown) =>
        error instanceof ConfigError && read.test(error.message) && !/hunter2/.test(error.message)
      assert.throws(() => readConfig(env), isRefusal, told)
    } else assert.partialDeepStrictEqual(readConfig(env), read, told)
  }
}

/** A process reads what every process has as all others do. */
export const assertSharedSettings = (readConfig: (env: Environment) => EveryProcess): void =>
  assertRows(EVERY_PROCESS, readConfig)

/** The control process or a runner reads what both have as the other does. */
export const assertSettingsBehindTheApi = (readConfig: (env: Environment) => BehindTheApi): void =>
  assertRows(BEHIND_THE_API, readConfig)
