/**
 * Path of a generation, whatever the id holds.
 * @throws TypeError for what is no id, such as the generation itself.
 */
export const generationPath = (id: string): string => {
  const given: unknown = id
  if (typeof given === 'string' && given !== '') return `/generations/${encodeURIComponent(given)}`
  const what = typeof given === 'object' && given !== null ? 'an object' : given === '' ? 'an empty text' : String(given)
  throw new TypeError(`The id of a generation is expected, as in get(generation.id), and not ${what}.`)
}
