import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inOwnWords } from './own-words.ts'

const CASES: [said: string, own: string][] = [
  ['/query/status: Must be one of queued, running.', '--status: Must be one of queued, running.'],
  [
    '/num_images: Must be at most 16, not 17. /cfg: Must be a number.',
    '--num-images: Must be at most 16, not 17. --cfg: Must be a number.'
  ],
  ['/schedule/cfg/3: Must be at most 20, not 21.', '--schedule: Must be at most 20, not 21.'],
  ['/output/quality: Must be at least 1, not 0.', '--quality: Must be at least 1, not 0.'],
  ['/webhook/events/0: Must be one of these.', '--webhook-events: Must be one of these.'],
  ['/path/id: Must be the id of a generation.', 'ID: Must be the id of a generation.'],
  [
    'There is no class "ca". GET /v1/models/emoji-32/classes?q= searches them.',
    'There is no class "ca". nextscale classes searches them.'
  ],
  [
    'There is no generation gen_x. GET /v1/generations lists those there are.',
    'There is no generation gen_x. nextscale list lists those there are.'
  ],
  [
    'gen_x is running. Cancel it first with POST /v1/generations/gen_x/cancel.',
    'gen_x is running. Cancel it first with nextscale cancel gen_x.'
  ],
  [
    'There is no delivery. GET /v1/webhook-deliveries lists those there are.',
    'There is no delivery. nextscale webhooks deliveries lists those there are.'
  ],
  ['m has 7 scales: stop_at_scale may be 0 to 6, not 9.', 'm has 7 scales: --draft may be 0 to 6, not 9.'],
  ['Leave `keep_scales` out, or (top_k).', 'Leave --keep-scales out, or (--top-k).'],
  ['Name that in webhook.events next time.', 'Name that in --webhook-events next time.'],
  [
    'There is no "top_k" in http://x/v1/top_k or my_top_k, nor in next_cursor.',
    'There is no "top_k" in http://x/v1/top_k or my_top_k, nor in next_cursor.'
  ]
]

describe('what the server says', () => {
  for (const [said, own] of CASES) it(`is put as "${own}"`, () => assert.equal(inOwnWords(said), own))
})
