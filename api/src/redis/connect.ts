import { connectProducer as connect, type RedisPlace } from '@nextscale/platform'
import type { Log } from '@nextscale/platform/observe'
import type { Redis } from 'ioredis'
import { ENTER_STREAM } from './enter-stream.ts'
import { FIND_GENERATION } from './find-generation.ts'
import { CLOSE_KEYED_ADD, OPEN_KEYED_ADD } from './keyed-add.ts'
import { CLOSE_KEYED_FLOW, OPEN_KEYED_FLOW } from './keyed-flow.ts'
import { MARK_CANCELED } from './mark-canceled.ts'
import { MARK_LAPSED } from './mark-lapsed.ts'
import { MOVE_JOBS } from './move-jobs.ts'
import { READ_DELIVERY } from './read-delivery.ts'
import { READ_GENERATION } from './read-generation.ts'
import { RESERVE_PLACE } from './reserve-place.ts'
import { RETIRE_POOL } from './retire-pool.ts'
import { TAKE_REQUEST } from './take-request.ts'
import { DRAW_SECRET, ROTATE_SECRET } from './webhook-secret.ts'

/** Scripts of this workspace, by the name of the method that runs them. */
export const SCRIPTS = {
  moveJobs: MOVE_JOBS,
  retirePool: RETIRE_POOL,
  findGeneration: FIND_GENERATION,
  readGeneration: READ_GENERATION,
  readDelivery: READ_DELIVERY,
  drawSecret: DRAW_SECRET,
  rotateSecret: ROTATE_SECRET,
  markCanceled: MARK_CANCELED,
  takeRequest: TAKE_REQUEST,
  reservePlace: RESERVE_PLACE,
  enterStream: ENTER_STREAM,
  openKeyedAdd: OPEN_KEYED_ADD,
  closeKeyedAdd: CLOSE_KEYED_ADD,
  openKeyedFlow: OPEN_KEYED_FLOW,
  closeKeyedFlow: CLOSE_KEYED_FLOW,
  markLapsed: MARK_LAPSED
}

/** The connection all requests share, with the scripts that they run. */
export const connectProducer = (place: RedisPlace, log: Log): Redis => connect(place, log, SCRIPTS)
