/** Path of a generation, whatever the id holds. */
export const generationPath = (id: string): string => `/generations/${encodeURIComponent(id)}`
