// The same from CommonJS, which may require a module since Node 22.12.
const { parseAndNormalizeResponse } = require('plate-snapshot')

const { readings } = parseAndNormalizeResponse({ results: [{ plate: 'abc123', score: 0.9 }] })
console.log(readings[0].plate, readings[0].score)
