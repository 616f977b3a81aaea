/**
 * onnxruntime for Linux reports to Microsoft unless this variable is set when it is loaded. An operator who wants that sets it to 0.
 */
// oxlint-disable-next-line node/no-process-env -- the runtime reads it from there, of whichever process loads it
process.env['ORT_DISABLE_TELEMETRY'] ||= '1'
