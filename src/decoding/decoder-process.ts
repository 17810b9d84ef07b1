import { answerJobs } from './answer-jobs.ts'
import { decode } from './decode.ts'

// What decoder.ts starts: a process of its own for bytes that nobody vouches for.
await answerJobs(decode)
