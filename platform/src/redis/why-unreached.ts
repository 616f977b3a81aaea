/** What Node says of a certificate that it does not take. */
const CERTIFICATE_CODE = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_)/

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')

/** Whether a connection was not made since the other side's certificate is not taken. */
export const isOfCertificate = (error: Error): boolean => CERTIFICATE_CODE.test(codeOf(error))

/** The sentence about a connection that could not be made, without what comes of it. */
export const whyUnreached = (error: Error): string => {
  if (!isOfCertificate(error)) return 'Redis cannot be reached'
  const mend = 'set REDIS_CA_FILE to the certificate of the authority that signed it, and REDIS_URL to a host that it names'
  return `Redis cannot be reached, since its certificate is not taken (${codeOf(error)}): ${mend}`
}
