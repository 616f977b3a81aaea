import { S3Client } from '@aws-sdk/client-s3'
import type { S3Access } from '../config/index.ts'

/** How the client of every process talks to its store, whichever that is. */
const POLICY = {
  // Compatible stores do not all know the newer checksums; they are sent only where S3 demands them.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 15_000, throwOnRequestTimeout: true }
} as const

/** A client of an S3 server, with credentials as the AWS SDK finds them. */
export const openS3Client = ({ region, forcePathStyle, endpoint }: S3Access): S3Client =>
  new S3Client({
    ...POLICY,
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint })
  })
