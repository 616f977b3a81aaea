/** Three scales of one square, coarse to fine. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="6" fill="#1d2433"/>
<rect x="5" y="5" width="22" height="22" rx="2" fill="#3b4a6b"/>
<path d="M16 5h9a2 2 0 0 1 2 2v9H16zM5 16h11v11H7a2 2 0 0 1-2-2z" fill="#7d97d8"/>
<path d="M16 16h5.5v5.5H16zM21.5 21.5H27V25a2 2 0 0 1-2 2h-3.5z" fill="#f4a259"/>
</svg>
`
