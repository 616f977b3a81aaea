/** Where providers lie that Terraform may use without a network; unset, the disk is searched. */
export const readPluginDir = (env = process.env): string | undefined => env['TF_PLUGIN_DIR']

/** What Terraform gets of the environment, such as PATH. */
export const inherited = (): NodeJS.ProcessEnv => process.env
