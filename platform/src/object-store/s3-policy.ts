/** How the S3 client of every process talks to its store, whichever that is. */
export const S3_POLICY = {
  // Compatible stores do not all know the newer checksums; they are sent only where S3 demands them.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED'
} as const
