import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BROWSER, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { createWorkplace, type Workplace } from '../support/workplace.ts'

const LIST = new URL('../../images.txt.example', import.meta.url)

describe('the report of the sample pictures', () => {
  let place: Workplace
  let browser: Browser
  beforeAll(async () => {
    if (BROWSER !== undefined) browser = await openBrowser()
    place = await createWorkplace({ storage: 'db' })
    const lines = (await readFile(LIST, 'utf8')).split('\n').filter((line) => line !== '')
    await place.ingest(lines, ['--mmc', '--confidence-threshold', '0.5', '--camera-id', 'gate'])
  })
  afterAll(async () => {
    await browser?.close()
    await place[Symbol.asyncDispose]()
  })

  test('is one file for its owner alone, which replaces the one before', async () => {
    await place.write('report.html', 'older')
    const { exitCode, stdout, stderr } = await place.run(['report'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^report\.html: 11 images, 10 rows, 10 pictures \(0\.\d MB\)\. Open/)
    const { mode, size } = await stat(join(place.folder, 'report.html'))
    expect(mode & 0o777).toBe(0o600)
    expect(size).toBeGreaterThan(100_000)
    expect((await readdir(place.folder)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('takes wrong flags and a place that cannot be written for what they are', async () => {
    const wrong = ['report', '--pictures', '10001', '--pictures-by', 'size', '--since', '31 April']
    const { exitCode, stderr } = await place.run(wrong)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--pictures must be a whole number from 0 to 10000.')
    expect(stderr).toContain('--pictures-by must be newest or lowest-confidence.')
    expect(stderr).toContain('--since must be a day')
    const nowhere = await place.run(['report', '-o', 'nowhere/report.html'])
    expect(nowhere.exitCode).toBe(2)
    expect(nowhere.stderr).toMatch(/--output nowhere\/report\.html cannot be written: no such file/)
  })

  test('shows no more pictures than are asked for, of the time that is asked for', async () => {
    const flags = ['--pictures', '3', '--pictures-by', 'lowest-confidence', '-o', 'few.html']
    expect((await place.run(['report', ...flags])).stdout).toContain('10 rows, 3 pictures')
    const page = await readFile(join(place.folder, 'few.html'), 'utf8')
    expect(page).toContain('The 3 least sure of 10 rows')
    const none = await place.run(['report', '--until', '2020-01-01', '-o', 'few.html'])
    expect(none.stdout).toContain('few.html: 0 images, 0 rows, 0 pictures')
  })

  test('is not written of a database that is not there', async () => {
    const env = { DATABASE_URL: 'pglite:elsewhere' }
    const { exitCode, stderr } = await place.run(['report', '-o', 'none.html'], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('There is no database yet')
    expect(await readdir(place.folder)).not.toContain('none.html')
  })

  describe.skipIf(BROWSER === undefined)('in a browser', () => {
    /** Opens a file; `complaints` is all that the console said and all that was fetched but the file itself. */
    async function open(name: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
      const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme })
      const { href } = pathToFileURL(join(place.folder, name))
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => {
        const url = request.url()
        if (url !== href && !url.startsWith('data:')) complaints.push(url)
      })
      await page.goto(href)
      return { page, complaints }
    }

    test.each<[width: number, colorScheme: 'light' | 'dark']>([
      [390, 'light'],
      [390, 'dark'],
      [1280, 'light'],
      [1280, 'dark'],
    ])('shows every picture at %i px, %s, and fetches nothing', async (width, colorScheme) => {
      const { page, complaints } = await open('report.html', width, colorScheme)
      const widths = await page.$$eval('#cards img', async (images) => {
        // Those out of sight are drawn when they come into it.
        for (const image of images as HTMLImageElement[]) image.loading = 'eager'
        await Promise.all((images as HTMLImageElement[]).map((image) => image.decode()))
        return (images as HTMLImageElement[]).map((image) => image.naturalWidth)
      })
      expect(widths).toHaveLength(20)
      expect(Math.min(...widths)).toBeGreaterThan(0)
      const facts = await page.evaluate(() => ({
        scrolls: document.documentElement.scrollWidth > innerWidth,
        ground: getComputedStyle(document.documentElement).backgroundColor,
        bars: document.querySelectorAll('.chart .bar rect, .chart rect.bar').length,
        visible: [...document.querySelectorAll('.chart svg')].filter(
          (chart) => chart.clientWidth > 0,
        ).length,
      }))
      expect(facts.scrolls).toBe(false)
      expect(facts.ground).toBe(colorScheme === 'light' ? 'rgb(244, 246, 247)' : 'rgb(15, 21, 25)')
      expect(facts.visible).toBe(await page.locator('.chart').count())
      expect(facts.bars).toBeGreaterThan(20)
      expect(complaints).toEqual([])
      await page.close()
    })

    test('is filtered and sorted with the keyboard', async () => {
      const { page, complaints } = await open('report.html', 1280)
      const count = page.locator('#count')
      const plates = () => page.locator('.card:visible h3').allTextContents()
      expect(await count.textContent()).toBe('10 of 10 pictures')
      await page.locator('#words').focus()
      await page.keyboard.type('volkswagen  RED')
      expect([await count.textContent(), await plates()]).toEqual(['1 of 10 pictures', ['qxoi104']])
      await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.type('QX-OI 10')
      expect(await count.textContent()).toBe('1 of 10 pictures')
      for (let presses = 0; presses < 4; presses += 1) await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Show all')
      await page.keyboard.press('Enter')
      await expect.poll(() => count.textContent()).toBe('10 of 10 pictures')
      await page.locator('#least').focus()
      await page.keyboard.type('0.6')
      await page.keyboard.press('Tab')
      await page.keyboard.type('0.8')
      await page.keyboard.press('Tab')
      await page.keyboard.type('lowest')
      expect(await plates()).toEqual(['qu4106i', '0qio187'])
      await page.keyboard.press('End')
      expect(await plates()).toEqual(['0qio187', 'qu4106i'])
      expect(complaints).toEqual([])
      await page.close()
    })

    test('shows no controls in print, nor without a script', async () => {
      const { page } = await open('report.html', 1280)
      const isShown = (on: Page) => on.locator('#controls').isVisible()
      expect(await isShown(page)).toBe(true)
      await page.emulateMedia({ media: 'print' })
      expect(await isShown(page)).toBe(false)
      await page.close()
      const plain = await browser.newContext({ javaScriptEnabled: false })
      const without = await plain.newPage()
      await without.goto(pathToFileURL(join(place.folder, 'report.html')).href)
      expect([await isShown(without), await without.locator('.card').count()]).toEqual([false, 10])
      await plain.close()
    })

    test('runs no script that stands in a text, and none that is put into the file', async () => {
      const script = `"'><script>globalThis.ran=1</script><img src=x onerror=globalThis.ran=1>`
      await place.query(`UPDATE vehicle_snapshots SET camera_id = $1, plate_text = left($1, 60)`, [
        script,
      ])
      await place.run(['report', '-o', 'hostile.html'])
      const { page, complaints } = await open('hostile.html', 390)
      expect(await page.locator('.card').first().textContent()).toContain(script)
      expect(await page.evaluate(() => [document.scripts.length, 'ran' in globalThis])).toEqual([
        1,
        false,
      ])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
      expect(complaints).toEqual([])
      await page.close()

      const html = await readFile(join(place.folder, 'hostile.html'), 'utf8')
      await place.write('changed.html', html.replace('<main>', `<main>${script}`))
      const changed = await open('changed.html', 390)
      expect(await changed.page.evaluate(() => 'ran' in globalThis)).toBe(false)
      expect(changed.complaints.join('\n')).toContain('Content Security Policy')
      await changed.page.close()
    })
  })
})

test('a picture whose object is gone leaves a reason in its place, and an image store that is away costs the pictures only', async () => {
  await using place = await createWorkplace({ storage: 's3' })
  const pictures = ['samples/gate-sedan-front.jpg', 'samples/snowy-van-front.png']
  await place.ingest(pictures)
  const { bucket: Bucket = '', client } = place.bucket ?? {}
  const { Contents = [] } = (await client?.send(new ListObjectsV2Command({ Bucket }))) ?? {}
  const [gone] = Contents
  await client?.send(new DeleteObjectCommand({ Bucket, Key: gone?.Key }))
  const one = await place.run(['report'])
  expect([one.exitCode, one.stdout]).toEqual([1, expect.stringContaining('2 rows, 1 picture (')])
  expect(one.stderr).toMatch(
    /^1 picture could not be had; the first is that of samples\/.* is not there\.\n/,
  )
  const page = await readFile(join(place.folder, 'report.html'), 'utf8')
  expect(page).toContain(`s3://${Bucket}/${gone?.Key} is not there.`)

  const env = { AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}` }
  const away = await place.run(['report'], { env })
  expect([away.exitCode, away.stdout]).toEqual([1, expect.stringContaining('2 rows, 0 pictures')])
  expect(away.stderr).toContain('2 pictures could not be had')
  const without = await place.run(['report'], { env: { S3_BUCKET: '' } })
  expect([without.exitCode, without.stderr]).toEqual([1, expect.stringContaining('S3_BUCKET')])
})
