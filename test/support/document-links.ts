import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)

/** Files and headings that a document of this repository names and that are not there. */
export function deadReferences(path: string): string[] {
  const base = new URL(path, ROOT)
  const text = withoutBlocks(readFileSync(base, 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => target ?? [])
  const deadLinks = links.filter(
    (target) => !target.includes('://') && !leadsSomewhere(target, base),
  )
  // Told by name, without a link.
  const named = [...text.matchAll(/`((?:src|test|bench|\.ci|\.github)\/[\w./-]*)`/g)]
  const missing = named.flatMap(([, file = '']) => (existsSync(new URL(file, ROOT)) ? [] : [file]))
  return [...deadLinks, ...missing]
}

/** The documents that a document links to, as paths from the root. */
export function linkedFrom(path: string): string[] {
  const text = withoutBlocks(readFileSync(new URL(path, ROOT), 'utf8'))
  return [...text.matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)].flatMap(([, target = '']) =>
    target.includes('://') ? [] : [pathOf(new URL(target, new URL(path, ROOT)))],
  )
}

function leadsSomewhere(target: string, base: URL): boolean {
  const url = new URL(target, base)
  const anchor = url.hash.slice(1)
  url.hash = ''
  if (!existsSync(url)) return false
  return anchor === '' || headingsOf(readFileSync(url, 'utf8')).includes(anchor)
}

/** The names by which GitHub links to the headings of a document. */
function headingsOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

function pathOf(url: URL): string {
  return fileURLToPath(url).slice(fileURLToPath(ROOT).length)
}
