import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Most of the end-to-end tests wait for their child processes: more workers than processors pay.
    maxWorkers: 3,
    globalSetup: ['test/support/servers.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
