import { cactus, fir, roadside, tree } from './plants.ts'
import { cloud, hills, houses, mesa, sky, skyline, sun, WIDTH } from './scenery.ts'
import { box, fill, shade, times } from './shapes.ts'
import { bays, gate, lampPost, road, sign, yard } from './street.ts'

/** What stands behind the vehicles of the pictures by day, as SVG of the whole picture's size. */
export const DAY = {
  officeGate: [
    sky(480, '#6fb4e8', '#cfe8f5'),
    cloud(160, 120, 1.1, '#ffffff'),
    cloud(900, 90, 0.9, '#ffffff', 0.8),
    skyline({
      seed: 11,
      horizon: 480,
      tallest: 270,
      walls: ['#b9c7d3', '#a9bac8', '#c8d2da'],
      window: '#8ea3b4',
      litShare: 0,
    }),
    ...[60, 330, 860, 1020, 1240].map((x) => tree(x, 496, 0.8, '#6cae6a', '#4b8f57')),
    yard(490, '#aeb4b8', '#7d848c', '#565d66'),
    gate(620),
  ].join(''),
  carPark: [
    sky(420, '#7fc0ea', '#dff1f7'),
    cloud(220, 130, 1.2, '#ffffff'),
    cloud(760, 80, 0.8, '#ffffff', 0.8),
    cloud(1040, 190, 1, '#ffffff', 0.7),
    skyline({
      seed: 23,
      horizon: 410,
      tallest: 190,
      walls: ['#d8c3a5', '#c9b08f', '#e2d3bb'],
      window: '#9c8a72',
      litShare: 0,
    }),
    fill(box(0, 372, WIDTH, 48), '#5f9a5a'),
    ...times(9, (index) =>
      tree(70 + index * 150, 424, 0.72 + (index % 3) * 0.1, '#79b96b', '#4f9457'),
    ),
    yard(430, '#c3c7c9', '#7f868e', '#565c65'),
    bays(520, '#f4f1e8'),
    lampPost(300, 520, 0.85),
    lampPost(900, 520, 0.85),
    sign({ x: 1130, y: 560, text: 'P', ground: '#1f5fb8' }),
  ].join(''),
  countryRoad: [
    sky(470, '#58a9e6', '#bfe3f5', '#fbf3d8'),
    sun(1050, 130, 46, '#fff3b8'),
    cloud(150, 150, 1, '#ffffff'),
    cloud(560, 90, 0.8, '#ffffff', 0.85),
    hills(3, 400, 130, '#7fa9b8', '#9fc3b7'),
    hills(8, 450, 90, '#8dbb6b', '#6fa257'),
    road({ horizon: 468, verge: ['#9ac76d', '#5f9445'] }),
    ...roadside((x, y, scale) => tree(x, y, scale, '#6fb35c', '#43843f')),
  ].join(''),
  desert: [
    sky(470, '#3f8fd6', '#a9d5ee', '#fde6bf'),
    sun(190, 150, 50, '#fff1b0'),
    mesa(40, 474, 330, 150),
    mesa(860, 474, 420, 200),
    mesa(520, 474, 200, 84),
    road({ horizon: 470, verge: ['#e9b877', '#c98a4b'], paint: '#ffd35a' }),
    cactus(96, 610, 1.2),
    cactus(1196, 596, 1.05),
    cactus(1010, 524, 0.55),
    cactus(262, 520, 0.5),
  ].join(''),
  oldTown: [
    sky(480, '#8cc3e6', '#e6f2f4'),
    cloud(1020, 110, 0.9, '#ffffff'),
    houses(4, 500, ['#e8b38a', '#f0d7a0', '#c9d8c5', '#e6a091', '#b9cfe0'], '#a4553f'),
    yard(500, '#c9c2b4', '#8b8c8e', '#64666b'),
    sign({ x: 1130, y: 640, text: 'BUS', ground: '#1d7a4c', width: 128 }),
    tree(120, 514, 1.15, '#79b96b', '#4f9457'),
  ].join(''),
  depot: [
    sky(460, '#b7c9d6', '#eef2ef'),
    cloud(240, 110, 1, '#ffffff'),
    shade(box(0, 170, WIDTH, 300), '#8fa3b3', '#6b7f90'),
    ...times(27, (index) => fill(box(index * 48, 170, 3, 300), '#5c7081', 'opacity="0.5"')),
    fill(box(0, 160, WIDTH, 16), '#40505e'),
    ...[90, 970].map(
      (x) =>
        shade(box(x, 270, 230, 200), '#e5e9ec', '#b6bfc7') +
        times(6, (row) => fill(box(x, 270 + row * 33, 230, 4), '#97a3ad')).join(''),
    ),
    yard(470, '#d9b23a', '#8d9196', '#5f646b'),
    sign({ x: 330, y: 620, text: '4', ground: '#1f5fb8' }),
    sign({ x: 1210, y: 640, text: '5', ground: '#1f5fb8' }),
  ].join(''),
  avenue: [
    sky(470, '#9fd0ee', '#f3efe0'),
    cloud(860, 120, 1, '#ffffff'),
    skyline({
      seed: 47,
      horizon: 470,
      tallest: 240,
      walls: ['#e3c9ae', '#d6b493', '#ecdcc6'],
      window: '#9b7f66',
      litShare: 0,
    }),
    road({ horizon: 468, verge: ['#c9c4ba', '#a8a297'] }),
    ...roadside((x, y, scale) => tree(x, y, scale, '#8fbf5a', '#5d8f3c')),
  ].join(''),
  winter: [
    sky(470, '#9db7cf', '#dfe9f0'),
    hills(14, 360, 190, '#e8f0f5', '#b8cad8'),
    hills(19, 440, 70, '#d3e0e8', '#eef4f7'),
    road({ horizon: 466, verge: ['#f2f7fa', '#d5e1e9'], tar: ['#9aa7b2', '#78858f'] }),
    ...roadside((x, y, scale) => fir(x, y, scale * 1.25, '#f4f9fc', '#2f5a4c')),
  ].join(''),
}
