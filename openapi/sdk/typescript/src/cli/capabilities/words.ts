/** Fields that only some models take as the command calls them, where that is not as the field is. */
export const CAPABILITY_ARGUMENTS: Readonly<Record<string, string>> = { class_name: 'CLASS', class_label: 'CLASS' }

/** Those that are called as their field is. */
export const CAPABILITY_FIELDS = ['prompt', 'negative_prompt', 'size', 'cfg', 'top_k', 'top_p', 'smooth', 'schedule'] as const
