import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where providers lie that Terraform may use without a network; unset, the disk is searched. */
export const readPluginDir = (env = process.env): string | undefined => env['TF_PLUGIN_DIR']

/** A helm to test with; unset, that of the path, or one that is built. */
export const readHelm = (env = process.env): string | undefined => env['HELM']

/** Where tools that tests build are kept. */
export const readToolFolder = (env = process.env): string => join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'nextscale')

/** Where etcd and kube-apiserver are, by the variable that tests of controllers have for it. */
export const readKubernetesPrograms = (env = process.env): string | undefined => env['KUBEBUILDER_ASSETS']

/** Whether what is rendered now becomes what tests expect. */
export const readAccept = (env = process.env): boolean => env['ACCEPT'] === '1'

/** What Terraform gets of the environment, such as PATH. */
export const inherited = (): NodeJS.ProcessEnv => process.env

/** Where images are built and kept between runs; unset, in the folder for temporary files. */
export const readImageStore = (env = process.env): string | undefined => env['IMAGE_STORE']

/** Whether the image with CUDA may be built, which fetches 2 GB. */
export const wantsGpuImage = (env = process.env): boolean => env['GPU_IMAGE'] === '1'
