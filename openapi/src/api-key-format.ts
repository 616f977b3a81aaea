/** A key of the API is `ns_`, an id of lower-case letters and digits, `_`, and a secret of letters and digits: 256 random bits. */
export const API_KEY_FORMAT = { idLength: 12, secretLength: 43 } as const
