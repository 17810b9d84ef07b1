import { sky, skyline, stars, sun } from './scenery.ts'
import { disc, glow } from './shapes.ts'
import { lampPost, puddle, road, trafficLights } from './street.ts'

/** The same for the pictures at dusk and by night. */
export const NIGHT = {
  dusk: [
    sky(500, '#3b3a6b', '#b4567a', '#f7a35c'),
    sun(640, 430, 50, '#ffe2a0'),
    skyline({
      seed: 5,
      horizon: 500,
      tallest: 330,
      walls: ['#3d3558', '#4a3c62', '#332e4e'],
      window: '#2a2644',
      litShare: 0.3,
    }),
    road({ horizon: 496, verge: ['#4c4660', '#332f45'], tar: ['#5f5a70', '#3a3847'] }),
    trafficLights(636),
    lampPost(26, 660, 1.15, { lit: true }),
  ].join(''),
  cityNight: [
    sky(480, '#0b1030', '#27265c', '#57407c'),
    stars(77, 60),
    disc(1090, 110, 44, '#f6edcf') + glow([1090, 110], 130, '#f6edcf', { opacity: 0.35 }),
    skyline({
      seed: 62,
      horizon: 480,
      tallest: 340,
      walls: ['#1a1d42', '#22244f', '#161837'],
      window: '#12132e',
      litShare: 0.42,
    }),
    road({
      horizon: 476,
      verge: ['#2a2850', '#191838'],
      tar: ['#37355c', '#222140'],
      paint: '#d9d4f0',
    }),
    lampPost(70, 650, 1.1, { lit: true }),
    puddle(640, 770, 420, '#ff5a5a'),
  ].join(''),
  rainyNight: [
    sky(470, '#0c1424', '#1c2a40', '#2d3c52'),
    skyline({
      seed: 31,
      horizon: 470,
      tallest: 300,
      walls: ['#141d2d', '#192436', '#111927'],
      window: '#0d1420',
      litShare: 0.3,
    }),
    road({
      horizon: 466,
      verge: ['#1b2634', '#0f161f'],
      tar: ['#28323f', '#161d27'],
      paint: '#8f9aa6',
    }),
    lampPost(90, 620, 1.1, { lit: true }),
    lampPost(960, 560, 0.85, { lit: true }),
    puddle(210, 700, 260, '#ffdf9c'),
    puddle(1050, 640, 180, '#ffdf9c'),
  ].join(''),
}
