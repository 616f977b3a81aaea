/** A picture that is not encoded. */
export interface Picture {
  /** RGB, row-major [height, width, 3]. */
  pixels: Uint8Array
  /** In pixels. */
  width: number
  /** In pixels. */
  height: number
}
