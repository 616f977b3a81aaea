// Before the runtime, which reads the environment as it is loaded.
import './silence-telemetry.ts'
// oxlint-disable-next-line no-restricted-imports -- the one place
export { env, InferenceSession, Tensor } from 'onnxruntime-node'
