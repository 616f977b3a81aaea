export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export const asObject = (value: Json | undefined): JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
export const asArray = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])
export const asTexts = (value: Json | undefined): string[] => asArray(value).map((item) => JSON.stringify(item))
export const asText = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))
