import { PROBLEMS, type Problem, type ProblemCode } from '../schemas/problem.ts'

const FIELD = { pointer: '/num_images', detail: 'Must be at most 16, not 20.' }

/** What a problem might say; those not named here say their title. */
const DETAILS: Partial<Record<ProblemCode, string>> = {
  malformed_json: 'The body is not valid JSON: Unexpected end of JSON input. Check quotes, commas and braces.',
  invalid_request: `${FIELD.pointer}: ${FIELD.detail}`,
  unauthorized: 'Send an API key: `Authorization: Bearer <key>`.',
  unknown_model: '"emoji-23" is not served here. Did you mean emoji-32? The models are emoji-32.',
  unknown_class: 'emoji-32 has no class named "fx". The nearest: "fox". GET /v1/models/emoji-32/classes?q= searches them.',
  unsupported_for_model:
    'emoji-32 takes no prompt; it takes class_label, class_name, cfg, top_k, top_p, smooth, schedule, stop_at_scale, previews, return_tokens. Leave prompt out.',
  text_refused: '/label: The text has U+0000, which no text may have. Leave it out.',
  unsupported_media_type: 'Send the body as JSON, with the header `Content-Type: application/json`.',
  queue_full: 'Too many generations wait. Send the request again in a few seconds.'
}

/** A problem as it is answered. */
export const exampleProblem = (code: ProblemCode): Problem => {
  const { status, title, retryable } = PROBLEMS[code]
  return {
    type: `urn:nextscale:problem:${code}`,
    title,
    status,
    detail: DETAILS[code] ?? `${title}.`,
    code,
    request_id: 'req_6f1c2b9a40e3000001',
    retryable,
    errors: code === 'invalid_request' ? [FIELD] : []
  }
}
