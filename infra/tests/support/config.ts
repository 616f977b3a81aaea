/** Where providers lie that Terraform may use without a network; unset, the disk is searched. */
export const readPluginDir = (env = process.env): string | undefined => env['TF_PLUGIN_DIR']

/** What Terraform gets of the environment, such as PATH. */
export const inherited = (): NodeJS.ProcessEnv => process.env

/** Where images are built and kept between runs; unset, in the folder for temporary files. */
export const readImageStore = (env = process.env): string | undefined => env['IMAGE_STORE']

/** Whether the image with CUDA may be built, which fetches 2 GB. */
export const wantsGpuImage = (env = process.env): boolean => env['GPU_IMAGE'] === '1'
