/** Measures the runtime beside the engine: matrix products on request `products`, draws on `draw BATCH`. */
import { openModel } from '../model/open-model.ts'
import { answerLines } from './answer-lines.ts'
import { openDraw } from './time-draw.ts'
import { openProducts } from './time-products.ts'
import { parseLine, ProbeTask } from './replies.ts'

const { folder, threads } = parseLine(ProbeTask, process.argv[2] ?? '')
const begun = performance.now()
const timeProducts = await openProducts(threads)
const timeDraw = await openDraw(await openModel(folder), threads)

await answerLines({ load_ms: performance.now() - begun }, async (request) => {
  const [kind, batch] = request.split(' ')
  return kind === 'products' ? await timeProducts() : { draw_ms: await timeDraw(Number(batch)) }
})
