import { existsSync } from 'node:fs'
import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  process.env['CHROMIUM_PATH'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** A Chromium of this machine; undefined: there is none, which is said once. */
export const BROWSER = PLACES.find((path) => path !== '' && existsSync(path))

if (BROWSER === undefined) {
  console.log(
    'SKIPPED: the tests in a browser. There is no Chromium: install one (Debian: chromium) or name it in CHROMIUM_PATH.',
  )
}

/** Opens the browser without a window. */
export function openBrowser(): Promise<Browser> {
  if (BROWSER === undefined) throw new Error('there is no browser; ask BROWSER first')
  // Chromium refuses to shut itself in when root runs it, as in a container.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: BROWSER, args })
}
